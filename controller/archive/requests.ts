import type { ResourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import { requireRefName } from '../git/ref-name.ts';
import {
  type Answer,
  answerRequest,
  type BackupRequest,
  type PointRequest,
  type Request,
  type TagRequest,
  takeRequests,
} from '../git/requests.ts';
import type { Unread } from './compare-live.ts';
import { readForPoint } from './requests-read.ts';
import type { Space } from './space.ts';
import type { Spaces } from './spaces.ts';
import { wantSnapshots } from './volumes.ts';

/**
 * Does for commands beside the running archiver what only the one writer may do: tags, and a commit of what lives now, with fresh snapshots of
 * its volumes where those are asked for. What cannot be done yet stays where it is and is looked at again; whoever asked knows how long to wait.
 */

const EVERY_MS = 500;

export interface RequestsParts {
  readonly dataDirectory: string;
  readonly spaces: Pick<Spaces, 'get'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Were the first lists complete, so that windows may be closed? */
  readonly isSynced: () => boolean;
  /** Is volume data saved here at all? */
  readonly hasVolumes: boolean;
  /** Takes what lives there now into the open window; answers what could not be read, undefined when the signal cut it. */
  readonly reread: (space: Space, signal: AbortSignal) => Promise<readonly Unread[] | undefined>;
  /** Is it known, and told, that this resource cannot be read? */
  readonly isGap: (resource: ResourceName) => boolean;
  /** Closes the window of one repository as at its end. */
  readonly close: (space: Space) => Promise<void>;
  /** There is a new tag to push. */
  readonly tagged: (repository: string) => void;
  readonly report: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
}

export function watchRequests(parts: RequestsParts): AsyncDisposable {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  const look = () => {
    looking = lookOnce(parts)
      .catch(parts.fail)
      .then(() => {
        if (!isStopped) timer = setTimeout(look, EVERY_MS);
      });
  };
  look();
  return {
    [Symbol.asyncDispose]: async () => {
      isStopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

async function lookOnce(parts: RequestsParts): Promise<void> {
  for (const request of await waiting(parts.dataDirectory)) {
    const answer = await carryOut(parts, request);
    if (answer === undefined) continue;
    await answerRequest(parts.dataDirectory, request.id, answer);
    parts.report(outcomeOf(request, answer));
    if (answer.ok) parts.tagged(request.repository);
  }
}

/** A disk or rights that do not let us look keep nobody from archiving: who asks is told that nobody answers. */
async function waiting(dataDirectory: string): Promise<readonly Request[]> {
  try {
    return await takeRequests(dataDirectory);
  } catch (error) {
    if (isDisk(error)) return [];
    throw error;
  }
}

function isDisk(error: unknown): boolean {
  return error instanceof KeeperError && error.code === 'DATA_DIRECTORY_UNUSABLE';
}

/** Undefined: not yet. */
async function carryOut(parts: RequestsParts, request: Request): Promise<Answer | undefined> {
  const space = parts.spaces.get(request.repository);
  // One that is being renewed comes back by itself.
  if (space === undefined || space.users.isClosed) return parts.isSynced() ? notArchived(request) : undefined;
  try {
    if (request.do === 'tag') return await tag(parts, space, request);
    if (request.do === 'backup') refuseBackup(parts, space, request);
    return await makePoint(parts, space, request);
  } catch (error) {
    if (!(error instanceof KeeperError) || error.kind === 'defect' || error.code === 'LEADERSHIP_LOST') throw error;
    return { ok: false, reason: error.message, code: error.code };
  }
}

function notArchived({ repository }: Request): Answer {
  const reason = `The running archiver does not archive "${repository}"; nothing was changed, check the name and its --namespaces`;
  return { ok: false, reason, code: 'REQUEST_REFUSED' };
}

async function makePoint(
  parts: RequestsParts,
  space: Space,
  request: (PointRequest | BackupRequest) & Request,
): Promise<Answer | undefined> {
  if (!parts.isSynced() || space.line.isIncomplete || mustWait(parts, space)) return undefined;
  await readForPoint(parts, space);
  if (parts.signal.aborted || space.users.isClosed || mustWait(parts, space)) return undefined;
  if (request.do === 'backup') wantSnapshots(space, 'forced', parts.clock.monotonic());
  const { window } = space;
  if (window !== undefined) {
    await parts.close(space);
    if (space.window?.openedAt === window.openedAt || space.users.isClosed) return undefined;
  }
  const target = space.repository.head;
  if (target === undefined) return notArchived(request);
  const { name } = request;
  return name === undefined ? { ok: true, commit: target } : await tag(parts, space, { ...request, name, target });
}

/** Before anything is asked of the cluster. */
function refuseBackup({ hasVolumes }: RequestsParts, space: Space, { name }: BackupRequest): void {
  if (!hasVolumes)
    throw refusal(
      'The running archiver saves no volume data; nothing was changed, start it with a --config file that has "data", or use kubekeeper tag for the objects alone',
    );
  if (name === undefined) return;
  requireRefName(space.repository.directory, `refs/tags/${name}`);
  if (space.repository.ref(`refs/tags/${name}`) !== undefined)
    throw refusal(`The tag "${name}" exists already; nothing was changed, choose another name`);
}

function refusal(reason: string): KeeperError {
  return new KeeperError(reason, { kind: 'invalid-input', code: 'REQUEST_REFUSED' });
}

/** Its last write failed, or whose its namespace is could not be asked. */
function mustWait({ clock }: RequestsParts, space: Space): boolean {
  return space.window !== undefined && (space.retryAt ?? 0) > clock.monotonic();
}

async function tag(
  parts: RequestsParts,
  space: Space,
  { name, target, message, tagger }: Pick<TagRequest, 'name' | 'target' | 'message' | 'tagger'>,
): Promise<Answer> {
  using _user = space.users.enter();
  const time = new Date(parts.clock.wall());
  await space.repository.tag(name, { target, message, tagger, time });
  return { ok: true, commit: target, tag: name };
}

/** Never the message, which may hold anything. */
function outcomeOf({ do: what, repository, name, tagger }: Request, answer: Answer): Outcome {
  const tag = name === undefined ? {} : { tag: name };
  const asked = { type: 'requested', what, repository, ...tag, by: `${tagger.name} <${tagger.email}>` } as const;
  return answer.ok
    ? { ...asked, result: 'done', commit: answer.commit }
    : { ...asked, result: 'refused', reason: answer.reason };
}
