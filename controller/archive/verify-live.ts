import type { Sealer } from '../core/ports.ts';
import type { Scope } from '../core/scope.ts';
import { KeeperError } from '../errors.ts';
import { type Look, type LookParts, lookOnce, type SeenDifference, type Unread } from './compare-live.ts';
import { ComparedSpaces } from './compare-space.ts';
import { systemTimer, wait } from './publish-timer.ts';

/**
 * Does the archive hold the live state? A change whose window is still open is no difference, so beside a running archiver what
 * differs is looked at once more when it must have been committed.
 */

export interface CompareParts extends Omit<LookParts, 'sealer'> {
  readonly dataDirectory: string;
  /** The repositories that exist and are in scope. */
  readonly repositories: readonly string[];
  /** As `readClusterId` gives it. */
  readonly clusterId: string;
  readonly secretsPolicy: Sealer['policy'];
  /** Must not make a key. Asked for each look: what one look has sealed must not be taken for archived by the next. */
  readonly openSealer: () => Promise<Sealer>;
  readonly isArchiving: () => Promise<boolean>;
  /** By then whatever was seen is committed by an archiver that runs. */
  readonly settleMs: number;
}

export interface Comparison {
  readonly differences: readonly SeenDifference[];
  readonly unread: readonly Unread[];
  /** Repositories that could not be read, and why. */
  readonly unreadable: ReadonlyMap<string, KeeperError>;
  /** What changed again meanwhile: neither equal nor different. */
  readonly changing: number;
  readonly objects: number;
  /** The version of the rules that each tree was made by. */
  readonly rules: ReadonlyMap<string, string>;
  /** What is archived in each repository. */
  readonly resources: ReadonlyMap<string, ReadonlySet<string>>;
}

const POLL_MS = 500;

/** Throws KeeperError when the cluster cannot be reached. */
export async function compareLive(parts: CompareParts): Promise<Comparison> {
  await using spaces = await ComparedSpaces.open(parts.dataDirectory, parts.repositories, parts.clusterId);
  const first = await look(spaces, parts);
  const rest = {
    unread: first.unread,
    unreadable: spaces.unreadable,
    objects: first.objects,
    resources: new Map(spaces.all().map(({ name, repository }) => [name, new Set(repository.directories())])),
    rules: new Map(spaces.all().flatMap(({ name, file }) => (file === undefined ? [] : [[name, file.rules] as const]))),
  };
  const isSettled = first.differences.length === 0 || !(await parts.isArchiving());
  if (isSettled) return { ...rest, differences: first.differences, changing: 0 };
  const left = await waitForCommits(spaces, first.differences, parts);
  if (left.length === 0) return { ...rest, differences: [], changing: 0 };
  return { ...rest, ...(await lookAgain(left, parts)) };
}

async function look(spaces: ComparedSpaces, parts: CompareParts, only?: ReadonlySet<string>): Promise<Look> {
  const includes = (name: string) => parts.scope.includesRepository(name) && !spaces.unreadable.has(name);
  const scope: Scope = { ...parts.scope, includesRepository: includes };
  return await lookOnce(spaces, { ...parts, scope, sealer: await openSealer(parts) }, only);
}

/** Without its key, what holds secret values is not compared; all else is. */
async function openSealer({ openSealer, secretsPolicy }: CompareParts): Promise<Sealer> {
  try {
    return await openSealer();
  } catch (error) {
    if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
    return { policy: secretsPolicy, seal: () => Promise.reject(error) };
  }
}

/** Answers what is not committed when the time is over. */
async function waitForCommits(
  spaces: ComparedSpaces,
  differences: readonly SeenDifference[],
  { clock, settleMs, signal }: CompareParts,
): Promise<readonly SeenDifference[]> {
  const deadline = clock.monotonic() + settleMs;
  let left = differences;
  while (left.length > 0 && clock.monotonic() < deadline) {
    await wait(systemTimer, POLL_MS, signal);
    signal.throwIfAborted();
    for (const name of new Set(left.map(({ repository }) => repository))) await spaces.get(name)?.repository.reload();
    left = left.filter(({ repository, path, live }) => spaces.get(repository)?.repository.fileId(path) !== live);
  }
  return left;
}

/** Different is what stayed as it was on one of both sides; what moved on both is in the middle of a change. */
async function lookAgain(
  left: readonly SeenDifference[],
  parts: CompareParts,
): Promise<Pick<Comparison, 'differences' | 'changing'>> {
  const names = new Set(left.map(({ repository }) => repository));
  const existing = parts.repositories.filter((name) => names.has(name));
  await using spaces = await ComparedSpaces.open(parts.dataDirectory, existing, parts.clusterId);
  const includes = (name: string) => names.has(name) && parts.scope.includesRepository(name);
  const only = new Set(left.map(({ change }) => change.ref.resource));
  const again = await look(spaces, { ...parts, scope: { ...parts.scope, includesRepository: includes } }, only);
  const before = new Map(left.map((seen) => [keyOf(seen), seen]));
  const differences = again.differences.filter((seen) => {
    const then = before.get(keyOf(seen));
    return then !== undefined && (then.live === seen.live || then.archived === seen.archived);
  });
  return { differences, changing: again.differences.length - differences.length };
}

function keyOf({ repository, path }: SeenDifference): string {
  return `${repository}/${path}`;
}
