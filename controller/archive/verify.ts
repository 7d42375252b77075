import { KeeperError } from '../errors.ts';
import { openRepository } from '../git/repository.ts';
import { type Findings, verifyRepository } from '../git/verify-repository.ts';
import type { Unread } from './compare-live.ts';
import { isDamage, reasonOf } from './damage.ts';
import type { RemotePort } from './remote-port.ts';
import { type LiveAnswer, liveAnswer } from './verify-answer.ts';
import { type CompareParts, type Comparison, compareLive } from './verify-live.ts';
import { lookAtRemote, type RemoteAnswer } from './verify-remote.ts';

/** Three answers per repository: is it sound, does it hold the live state, is its remote where we left it? Nothing is written. */

export interface RepositoryAnswer {
  readonly repository: string;
  /** False where the live state asks for a repository that is not there. */
  readonly exists: boolean;
  readonly soundness: Findings;
  readonly live: LiveAnswer;
  readonly remote: RemoteAnswer | undefined;
}

export interface Verification {
  readonly repositories: readonly RepositoryAnswer[];
  /** Resources that could not be read: of those nothing is called equal. */
  readonly unread: readonly Unread[];
  readonly changing: number;
  /** Why the cluster could not be asked at all. */
  readonly unreachable: KeeperError | undefined;
}

export interface VerifyParts {
  readonly dataDirectory: string;
  /** What exists and is in scope. */
  readonly repositories: readonly string[];
  readonly signal: AbortSignal;
  /** Undefined leaves the cluster out; a KeeperError is why it cannot be asked. */
  readonly live:
    | Omit<CompareParts, 'dataDirectory' | 'repositories' | 'signal' | 'onProgress'>
    | KeeperError
    | undefined;
  readonly remote: RemotePort | undefined;
  /** Hears of long work: what is looked at, and how many objects of it were seen. */
  readonly onProgress: (what: string, objects: number) => void;
}

const NOTHING: Findings = { findings: [], unlisted: 0, isDamaged: false, objects: 0, commits: 0 };

export async function verify(parts: VerifyParts): Promise<Verification> {
  const soundness = new Map<string, Findings>();
  for (const name of parts.repositories) soundness.set(name, await look(parts, name));
  const live = await compare(parts);
  const comparison = live instanceof KeeperError ? undefined : live;
  const names = new Set([
    ...parts.repositories,
    ...(comparison?.differences ?? []).map(({ repository }) => repository),
  ]);
  const repositories: RepositoryAnswer[] = [];
  for (const name of [...names].sort()) {
    repositories.push({
      repository: name,
      exists: soundness.has(name),
      soundness: soundness.get(name) ?? NOTHING,
      live: liveAnswer(name, live, { dataDirectory: parts.dataDirectory, rules: rulesOf(parts) }),
      remote:
        parts.remote === undefined || !soundness.has(name) ? undefined : await askRemote(parts.remote, name, parts),
    });
  }
  return {
    repositories,
    unread: comparison?.unread ?? [],
    changing: comparison?.changing ?? 0,
    unreachable: live instanceof KeeperError ? live : undefined,
  };
}

async function look({ dataDirectory, signal, onProgress }: VerifyParts, name: string): Promise<Findings> {
  onProgress(name, 0);
  const onObjects = (objects: number) => onProgress(name, objects);
  return await verifyRepository(`${dataDirectory}/${name}.git`, { signal, onProgress: onObjects });
}

async function compare(parts: VerifyParts): Promise<Comparison | KeeperError | undefined> {
  const { live, dataDirectory, repositories, signal, onProgress } = parts;
  if (live === undefined || live instanceof KeeperError) return live;
  const onObjects = (objects: number) => onProgress('the cluster', objects);
  try {
    return await compareLive({ ...live, dataDirectory, repositories, signal, onProgress: onObjects });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof KeeperError && error.kind !== 'defect') return error;
    throw error;
  }
}

function rulesOf({ live }: VerifyParts): string | undefined {
  return live === undefined || live instanceof KeeperError ? undefined : live.rules.version;
}

async function askRemote(
  port: RemotePort,
  name: string,
  { dataDirectory, signal }: VerifyParts,
): Promise<RemoteAnswer> {
  try {
    await using repository = await openRepository(`${dataDirectory}/${name}.git`, { readOnly: true });
    return await lookAtRemote(port, repository, name, signal);
  } catch (error) {
    if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
    return { state: 'unchecked', reason: isDamage(error) ? reasonOf(error) : error.message, code: error.code };
  }
}
