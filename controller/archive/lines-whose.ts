import { NAMESPACES } from '../core/endpoints.ts';
import type { Clock, Cluster } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import { readContinuedLine } from '../git/continued-line.ts';
import type { Space } from './space.ts';

/** Whose is a namespace now, and does the line of its repository belong to it? */

/** A cluster that does not say so is waited for; then what was seen last counts. */
const PATIENCE_MS = 30_000;

export interface WhoseParts {
  readonly cluster: Pick<Cluster, 'get'>;
  readonly clock: Clock;
  readonly dataDirectory: string;
  /** Undefined when there is no time to wait for the answer. */
  readonly within: <T>(ask: () => Promise<T>) => Promise<T | undefined>;
}

export type Verdict =
  | { readonly whose: 'the same' }
  | { readonly whose: 'another'; readonly uid: string }
  | { readonly whose: 'not known yet' };

/** Asks the cluster. Without patience what is known now decides. */
export async function whose(space: Space, parts: WhoseParts, isPatient: boolean): Promise<Verdict> {
  const answer = await parts.within(() => askUid(parts.cluster, space.name));
  const now = parts.clock.monotonic();
  const mayWait = isPatient && now < (space.line.unansweredSince ?? now) + PATIENCE_MS;
  const uid = answer ?? (mayWait ? undefined : '');
  // What may not be asked may have been listed.
  const verdict = uid === undefined ? NOT_YET : judge(space, uid === '' ? seenLast(space) : uid, { ...parts, mayWait });
  space.line.unansweredSince = verdict === NOT_YET ? (space.line.unansweredSince ?? now) : undefined;
  return verdict;
}

const NOT_YET: Verdict = { whose: 'not known yet' };
const THE_SAME: Verdict = { whose: 'the same' };

function judge(
  space: Space,
  uid: string,
  { dataDirectory, mayWait }: WhoseParts & { readonly mayWait: boolean },
): Verdict {
  if (uid === space.line.uid) return THE_SAME;
  const continued = readContinuedLine(dataDirectory, space.name);
  if (continued?.of === space.line.uid) {
    if (continued.uid === uid) return THE_SAME;
    if (continued.uid === undefined && mayWait) return NOT_YET;
  }
  return { whose: 'another', uid };
}

function seenLast({ namespaceUid, line }: Space): string {
  return namespaceUid === undefined || namespaceUid === '' ? line.uid : namespaceUid;
}

/** The uid of a namespace; '' where it may not be read, undefined where there is none or no answer. */
export async function askUid(cluster: Pick<Cluster, 'get'>, name: string): Promise<string | undefined> {
  try {
    const uid = (await cluster.get(NAMESPACES, { name }))?.metadata['uid'];
    return typeof uid === 'string' ? uid : undefined;
  } catch (error) {
    if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
    return error.code === 'RESOURCE_FORBIDDEN' ? '' : undefined;
  }
}
