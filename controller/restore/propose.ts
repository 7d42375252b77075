import type { PullRequests } from '../core/ports.ts';
import type { RemotePlace } from '../core/remote.ts';
import { changesAnything, type Plan } from '../core/restore/plan.ts';
import { parseProposal, proposalBranch, proposalTitle } from '../core/restore/proposal.ts';
import { renderPlanMarkdown } from '../core/restore/render-plan.ts';
import { KeeperError } from '../errors.ts';
import { parseTrailers } from '../git/commit-object.ts';
import { readCommit } from '../git/commit-queue.ts';
import type { ObjectId } from '../git/object-id.ts';
import { openArchive } from '../git/open-archive.ts';
import { MAIN } from '../git/refs.ts';
import type { Advertisement } from '../git/remote/discover.ts';
import type { GitRemotes } from '../git/remote/port.ts';
import { type SideRepository, withSideRepository } from '../git/side-repository.ts';
import { commitProposal, isProposalOf, type ProposalParts } from './propose-branch.ts';
import type { RestorePoint } from './restore-point.ts';

/** A plan -> a branch at the namespace's remote -> a pull request. Neither the cluster nor our own `main` changes. */

export interface ProposeParts {
  readonly remote: GitRemotes;
  readonly pulls: PullRequests;
  /** That of the plan. */
  readonly point: RestorePoint;
  /** A directory for this work alone; it is gone afterwards. */
  readonly scratch: string;
}

export interface Proposed {
  readonly number: number;
  readonly url: string;
  /** Without `refs/heads/`. */
  readonly branch: string;
  readonly commit: ObjectId;
  /** The same plan was proposed before, and that pull request is open. */
  readonly isKnown: boolean;
}

export interface ProposeOptions {
  /** The restore point as a person wrote it. */
  readonly to: string;
  readonly time: Date;
  readonly signal: AbortSignal;
}

/**
 * Undefined when there is nothing to propose: nothing to do, or `main` has these files already. Throws USAGE_INVALID for a plan into
 * another namespace, REMOTE_DIVERGED when something else has the branch's name, and REMOTE_*.
 */
export async function propose(parts: ProposeParts, plan: Plan, options: ProposeOptions): Promise<Proposed | undefined> {
  if (!changesAnything(plan)) return undefined;
  using archive = await openArchive(parts.point.directory);
  return await withSideRepository(archive, parts.scratch, (side) =>
    new Proposing({ ...parts, plan, side }, options).run(),
  );
}

class Proposing {
  readonly #parts: ProposeParts & ProposalParts;
  readonly #options: ProposeOptions;
  readonly #place: RemotePlace;
  readonly #branch: string;

  constructor(parts: ProposeParts & ProposalParts, options: ProposeOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#place = parts.remote.place(parts.plan.repository);
    this.#branch = proposalBranch(parts.plan);
  }

  async run(): Promise<Proposed | undefined> {
    const { remote, plan } = this.#parts;
    const advertised = await remote.state(this.#place, this.#options.signal);
    const there = advertised.refs.get(`refs/heads/${this.#branch}`);
    const commit = there === undefined ? await this.#push(advertised) : await this.#recognise(there);
    if (commit === undefined) return undefined;
    const known = there === undefined ? undefined : await this.#findOpen();
    const title = proposalTitle(plan, this.#options.to);
    const request = { title, body: bodyOf(plan), head: this.#branch, base: 'main' };
    const opened = known ?? (await this.#parts.pulls.open(this.#place, request, this.#options));
    const { number, url } = opened;
    return { number, url, branch: this.#branch, commit, isKnown: known !== undefined };
  }

  async #push(advertised: Advertisement): Promise<ObjectId | undefined> {
    const { remote, side, plan } = this.#parts;
    const base = advertised.refs.get(MAIN);
    if (base === undefined) throw this.#hasNoMain();
    await this.#bring(side, base);
    const title = proposalTitle(plan, this.#options.to);
    const commit = await commitProposal(this.#parts, base, { title, time: this.#options.time });
    if (commit === undefined) return undefined;
    const update = { ref: `refs/heads/${this.#branch}`, from: undefined, to: commit };
    await remote.push(side, this.#place, [update], { advertised, signal: this.#options.signal });
    return commit;
  }

  /** Pushed by one that was killed before there was a pull request, or the same plan once more. */
  async #recognise(there: ObjectId): Promise<ObjectId> {
    const { side, plan } = this.#parts;
    await this.#bring(side, there);
    const proposal = parseProposal(parseTrailers(readCommit(side.store, there).message));
    if (proposal?.plan === plan.hash && (await isProposalOf(this.#parts, there))) return there;
    throw new KeeperError(
      `Cannot propose: ${this.#place.url} has a branch ${this.#branch} with something else; nothing was changed, delete that branch`,
      { kind: 'stalled', code: 'REMOTE_DIVERGED' },
    );
  }

  async #findOpen() {
    const wanted = { prefix: this.#branch, state: 'open' } as const;
    const found = await this.#parts.pulls.find(this.#place, wanted, this.#options);
    return found.find(({ branch }) => branch === this.#branch);
  }

  async #bring(side: SideRepository, id: ObjectId): Promise<void> {
    if (!side.store.has(id)) await this.#parts.remote.fetch(side, this.#place, [id], this.#options.signal);
  }

  #hasNoMain(): KeeperError {
    return new KeeperError(
      `Cannot propose: ${this.#place.url} has no branch main; nothing was changed, let it be archived and pushed first`,
      { kind: 'stalled', code: 'REMOTE_NOT_FOUND' },
    );
  }
}

function bodyOf(plan: Plan): string {
  const how =
    'Merging this applies exactly this plan, and what became of it is told here. If the live state moves before that, or this branch changes, nothing is applied.';
  return `${renderPlanMarkdown(plan)}\n${how}\n`;
}
