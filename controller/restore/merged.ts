import type { PullRequest, PullRequests } from '../core/ports.ts';
import type { RemotePlace } from '../core/remote.ts';
import type { Selection } from '../core/restore/plan.ts';
import { inert } from '../core/restore/plan-markdown.ts';
import { PROPOSALS, type Proposal } from '../core/restore/proposal.ts';
import { KeeperError } from '../errors.ts';
import { openArchive } from '../git/open-archive.ts';
import type { BegunProposal, ProposalRecord, ProposalRecords } from '../git/proposal-records.ts';
import type { GitRemotes } from '../git/remote/port.ts';
import { withSideRepository } from '../git/side-repository.ts';
import { readMerge } from './merge-facts.ts';
import { type Applied, applyWhenItFits, type Ended, type PlannedAgain } from './merged-apply.ts';
import type { RestorePoint } from './restore-point.ts';

/**
 * Merged proposals -> applied, each once, and told on the pull request. A record is durable before anything is applied and before it is
 * told, so that whoever is killed in between goes on where that was.
 */

export interface MergedParts {
  readonly remote: GitRemotes;
  readonly pulls: PullRequests;
  readonly records: ProposalRecords;
  /** Where a repository of ours lies at the remote. */
  readonly placeOf: (repository: string) => Promise<RemotePlace>;
  /** The bare repository of this name. */
  readonly directoryOf: (repository: string) => string;
  readonly planAgain: (repository: string, point: RestorePoint, selection: Selection) => Promise<PlannedAgain>;
  /** What became of the restore of this plan, which is ended first where it was interrupted; undefined when none was begun. */
  readonly resume: (repository: string, begun: BegunProposal) => Promise<Applied | undefined>;
}

export interface MergedOptions {
  /** Somebody must have approved each. */
  readonly needsApproval: boolean;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

export interface MergedOutcome {
  readonly repository: string;
  /** Of the pull request; undefined when those of the repository could not be looked at. */
  readonly number: number | undefined;
  readonly url: string | undefined;
  readonly result: 'applied' | 'refused' | 'failed';
  /** One line without a period. */
  readonly words: string;
}

/** Oldest first. What one pull request fails for holds up no other one; it is looked at again the next time. */
export async function* applyMerged(
  parts: MergedParts,
  repositories: readonly string[],
  options: MergedOptions,
): AsyncGenerator<MergedOutcome> {
  for (const repository of repositories) {
    const found = await orFailed(() => findMerged(parts, repository, options));
    if ('result' in found) yield { repository, number: undefined, url: undefined, ...found };
    else {
      for (const pull of found.pulls) {
        options.signal.throwIfAborted();
        const ending = await orFailed(() => new Merged(parts, { ...found, repository, pull }, options).run());
        if (ending !== undefined) yield { repository, number: pull.number, url: pull.url, ...ending };
      }
    }
  }
}

async function findMerged({ pulls, placeOf }: MergedParts, repository: string, options: MergedOptions) {
  const place = await placeOf(repository);
  const found = await pulls.find(place, { prefix: PROPOSALS, state: 'merged' }, options);
  return { place, pulls: found.toReversed() };
}

async function orFailed<Result>(work: () => Promise<Result>): Promise<Result | Ending> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
    return { result: 'failed', words: error.message };
  }
}

type Ending = Pick<MergedOutcome, 'result' | 'words'>;

/** Seen by nobody, so that an outcome is found where its record was lost with the disk. */
const MARK = '<!-- kubekeeper: outcome -->';

class Merged {
  readonly #parts: MergedParts;
  readonly #repository: string;
  readonly #place: RemotePlace;
  readonly #pull: PullRequest;
  readonly #options: MergedOptions;

  constructor(
    parts: MergedParts,
    about: { readonly repository: string; readonly place: RemotePlace; readonly pull: PullRequest },
    options: MergedOptions,
  ) {
    this.#parts = parts;
    this.#repository = about.repository;
    this.#place = about.place;
    this.#pull = about.pull;
    this.#options = options;
  }

  /** Undefined when nothing was left to do. */
  async run(): Promise<Ending | undefined> {
    const record = this.#parts.records.read(this.#repository, this.#pull.number);
    if (record?.state === 'told') return undefined;
    if (record?.state === 'decided') return await this.#tell(record);
    if (record?.state === 'begun') {
      const applied = await this.#parts.resume(this.#repository, record.begun);
      if (applied !== undefined) return await this.#end({ result: 'applied', applied });
    } else if (await this.#isTold()) {
      await this.#write({ state: 'told' });
      return undefined;
    }
    const ended = await this.#apply();
    return ended === undefined ? undefined : await this.#end(ended);
  }

  async #apply(): Promise<Ended | undefined> {
    const { remote, pulls } = this.#parts;
    const { signal, needsApproval } = this.#options;
    const directory = this.#parts.directoryOf(this.#repository);
    using archive = await openArchive(directory);
    return await withSideRepository(archive, this.#parts.records.scratch, async (side) => {
      const advertised = await remote.state(this.#place, signal);
      const bring = (wants: readonly string[]) => remote.fetch(side, this.#place, wants, signal);
      const merge = await readMerge(side, this.#pull, advertised, bring);
      const reviews = await pulls.reviews(this.#place, this.#pull.number, { signal });
      const begin = ({ restoreTo, plan }: Proposal) =>
        this.#write({ state: 'begun', begun: { restoreTo, plan, at: this.#options.now().toISOString() } });
      const planAgain = (point: RestorePoint, selection: Selection) =>
        this.#parts.planAgain(this.#repository, point, selection);
      return await applyWhenItFits({ pull: this.#pull, reviews, needsApproval, directory, planAgain, begin }, merge);
    });
  }

  async #end(ended: Ended): Promise<Ending> {
    const { result } = ended;
    const [title, words, more] =
      ended.result === 'applied'
        ? ['Applied', ended.applied.words, ended.applied.markdown]
        : ['Not applied', ended.reason, ''];
    const comment = [`**${title}**: ${inert(words)}`, more, MARK].filter((part) => part !== '').join('\n\n');
    const record = { state: 'decided', result, words, comment } as const;
    await this.#write(record);
    return await this.#tell(record);
  }

  /** The answer to a comment may have been lost. */
  async #tell({ result, words, comment }: Extract<ProposalRecord, { state: 'decided' }>): Promise<Ending> {
    if (!(await this.#isTold())) {
      await this.#parts.pulls.comment(this.#place, this.#pull.number, comment, this.#options);
    }
    await this.#write({ state: 'told' });
    return { result, words };
  }

  /** Anybody may write our mark. Where the forge does not tell who we are it is believed: nothing is applied for it. */
  async #isTold(): Promise<boolean> {
    const comments = await this.#parts.pulls.comments(this.#place, this.#pull.number, this.#options);
    return comments.some(({ isOurs, body }) => isOurs !== false && body.includes(MARK));
  }

  async #write(record: ProposalRecord): Promise<void> {
    await this.#parts.records.write(this.#repository, this.#pull.number, record);
  }
}
