import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { ProposeConfig } from './config-propose.ts';
import { isEndedLine, namespaceOf } from './core/line.ts';
import type { RestoreRecord } from './core/restore/journal.ts';
import { RestoreSummary } from './core/restore/summary.ts';
import { listRepositories } from './git/data-directory.ts';
import type { ObjectId } from './git/object-id.ts';
import { type BegunProposal, openProposalRecords } from './git/proposal-records.ts';
import { MAIN, readRef } from './git/refs.ts';
import { listRestores, unfinishedRestore } from './git/restore-journal.ts';
import { openProposals } from './open-propose.ts';
import { type OpenRestore, openRestore, runRestore } from './open-restore.ts';
import { makeSafetyPoint } from './open-safety.ts';
import { applyMerged, type MergedOutcome } from './restore/merged.ts';
import type { Applied, PlannedAgain } from './restore/merged-apply.ts';
import type { PlannedRestore } from './restore/work.ts';
import { systemClock } from './system-clock.ts';

export interface Merging extends AsyncDisposable {
  /** All that have a commit here. */
  repositories(): Promise<readonly string[]>;
  /** Where the remote's main is now; undefined where there is none. */
  remoteHead(repository: string): Promise<ObjectId | undefined>;
  /** What was proposed for these repositories and merged, each once. */
  apply(repositories: readonly string[]): AsyncGenerator<MergedOutcome>;
}

/** Only one process at a time may have it. Throws KeeperError: another one has it, no forge there, what cannot be reached. */
export async function openMerging(
  config: ProposeConfig,
  { needsApproval, signal }: { readonly needsApproval: boolean; readonly signal: AbortSignal },
): Promise<Merging> {
  await using opening = new AsyncDisposableStack();
  const { dataDirectory } = config;
  const records = opening.use(await openProposalRecords(dataDirectory));
  const proposals = opening.use(await openProposals(config));
  const directoryOf = (name: string) => join(dataDirectory, `${name}.git`);
  const parts = {
    remote: proposals.remote,
    pulls: proposals.pulls,
    records,
    placeOf: async (name: string) => {
      await proposals.know(directoryOf(name));
      return proposals.remote.place(name);
    },
    directoryOf,
    planAgain: (repository: string, { commit }: { readonly commit: string }, selection: ProposeConfig['selection']) =>
      planAgain({ ...config, repository, to: commit, selection }, signal),
    resume: (repository: string, begun: BegunProposal) => resume({ ...config, repository }, begun, signal),
  };
  const open = opening.move();
  return {
    repositories: async () =>
      (await listRepositories(dataDirectory)).filter(
        (name) => !isEndedLine(name) && readRef(directoryOf(name), MAIN) !== undefined,
      ),
    remoteHead: async (name) => {
      const { refs } = await proposals.remote.state(await parts.placeOf(name), signal);
      return refs.get(MAIN);
    },
    apply: (names) => applyMerged(parts, names, { needsApproval, now: () => new Date(systemClock.wall()), signal }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function planAgain(config: ProposeConfig, signal: AbortSignal): Promise<PlannedAgain> {
  await using opening = new AsyncDisposableStack();
  const opened = opening.use(await openRestore(config));
  const plan = () => opened.plan({ signal, onProgress: () => {} });
  const run = { id: restoreId(), resumes: undefined, signal };
  const first = await plan();
  let last = { planned: first, safetyTag: undefined as string | undefined };
  const open = opening.move();
  return {
    plan: first.plan,
    secure: async () => {
      const safetyTag = await secure(config, opened, run);
      last = { planned: await plan(), safetyTag };
      return last.planned.plan;
    },
    apply: () => carryOut(config, opened, last.planned, { ...run, safetyTag: last.safetyTag }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** The safety commit; answers its tag. */
async function secure(
  config: ProposeConfig,
  { point }: OpenRestore,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { username } = userInfo();
  const done = await makeSafetyPoint(config, point, {
    repository: config.repository,
    name: `pre/restore-${id}`,
    message: `before applying a merged restore of ${config.repository} to ${config.to.slice(0, 10)}\n`,
    tagger: { name: username, email: `${username}@${hostname()}` },
    signal,
  });
  return done?.tag;
}

async function carryOut(
  config: ProposeConfig,
  opened: OpenRestore,
  planned: PlannedRestore,
  run: Parameters<typeof runRestore>[3],
): Promise<Applied> {
  const summary = new RestoreSummary(planned.plan, run.safetyTag);
  for await (const event of runRestore(config, opened, planned, run)) {
    if (event.type === 'step') summary.step(event.step, event.result, event.reason);
    else if (event.type === 'incomplete') summary.incomplete(event.object, event.reason);
    else if (event.type === 'done' && event.stoppedBy === 'abort') throw run.signal.reason;
    else if (event.type === 'done' && event.stoppedBy !== undefined) throw event.stoppedBy;
    else if (event.type === 'read-back')
      for (const { object } of event.result?.different ?? []) summary.differs(object);
  }
  return { words: summary.words, markdown: summary.markdown };
}

/** A restore that came to its end just before we were killed is found by its journal. */
async function resume(config: ProposeConfig, begun: BegunProposal, signal: AbortSignal): Promise<Applied | undefined> {
  const mine = ({ header }: RestoreRecord) =>
    header.repository === config.repository && header.commit === begun.restoreTo && header.started >= begun.at;
  const [newest] = (await listRestores(config.dataDirectory)).filter(mine);
  if (newest === undefined) return undefined;
  if (newest.closed === 'finished') {
    const tag = newest.header.safetyTag;
    const words = `restored ${namespaceOf(config.repository)}${tag === undefined ? '' : `, what lived before is ${tag}`}`;
    return { words, markdown: '' };
  }
  const unfinished = await unfinishedRestore(config.dataDirectory, config.repository);
  if (unfinished?.header.id !== newest.header.id) return undefined;
  const { commit, selection, safetyTag } = newest.header;
  await using opened = await openRestore({ ...config, to: commit, selection });
  const planned = await opened.plan({ signal, onProgress: () => {} });
  return await carryOut(config, opened, planned, { id: restoreId(), safetyTag, resumes: newest, signal });
}

function restoreId(): string {
  const time = new Date(systemClock.wall()).toISOString().replace(/[-:]|\..*$/g, '');
  return `${time.replace('T', '-')}-${randomBytes(3).toString('hex')}`;
}
