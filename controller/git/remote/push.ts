import { isAncestor } from '../ancestry.ts';
import type { ObjectStore } from '../object-store.ts';
import { AGENT } from './agent.ts';
import type { Advertisement } from './discover.ts';
import { findMissing, type MissingObjects } from './missing-objects.ts';
import { FLUSH, pktLine } from './pkt-line.ts';
import { diverged, pushRefused } from './push-errors.ts';
import { streamPack } from './push-pack.ts';
import { requireTaken } from './push-verdict.ts';
import { type RefUpdate, readReport } from './report-status.ts';
import { callService } from './request.ts';
import type { Remote } from './transport.ts';

export type { RefUpdate } from './report-status.ts';

export interface Pushed {
  /** Sent in the pack. */
  readonly objects: number;
  /** Of the whole request. */
  readonly bytes: number;
}

/** What stands for a ref that is not there. */
const NOTHING = '0'.repeat(40);

/**
 * Moves refs of the remote in one request, all or none, and sends exactly what it lacks for them. Never forced: a ref must
 * be where `from` says, a branch or a note moves forward only, a tag never; else REMOTE_DIVERGED, before anything was sent.
 * What is there already is left out, so a push whose answer was lost is asked for again without harm; with nothing left
 * to do, nothing is sent. Throws REMOTE_REFUSED with the remote's words, and what `callService` throws.
 */
export async function push(
  repository: { readonly store: ObjectStore },
  remote: Remote,
  updates: readonly RefUpdate[],
  options: { readonly advertised: Advertisement; readonly signal: AbortSignal },
): Promise<Pushed> {
  const { advertised, signal } = options;
  const pending = updates.filter(({ ref, to }) => advertised.refs.get(ref) !== to);
  if (pending.length === 0) return { objects: 0, bytes: 0 };
  for (const update of pending) requireForward(repository.store, remote, update, advertised);
  requireCapabilities(remote, advertised);
  const wants = pending.flatMap(({ to }) => to ?? []);
  const objects = await findMissing(repository.store, wants, advertised.refs.values(), signal);
  let bytes = 0;
  async function* body(): AsyncGenerator<Buffer> {
    bytes = 0;
    for await (const chunk of renderRequest(repository.store, pending, objects, options)) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  const answer = await callService(remote, 'git-receive-pack', body, signal);
  requireTaken(remote, pending, await readReport(remote, answer, advertised.capabilities.has('side-band-64k')));
  return { objects: objects.missing.size, bytes };
}

function requireForward(store: ObjectStore, remote: Remote, update: RefUpdate, { refs }: Advertisement): void {
  const { ref, from, to } = update;
  const theirs = refs.get(ref);
  if (theirs !== from) {
    const problem = theirs === undefined ? 'it is gone there' : `it is at ${theirs} there, which we did not put there`;
    throw diverged(remote, ref, problem, theirs);
  }
  if (theirs === undefined || to === undefined) return;
  if (ref.startsWith('refs/tags/')) throw diverged(remote, ref, `the tag names ${theirs} there, and tags stay`, theirs);
  if (store.has(theirs) && isAncestor(store, theirs, to)) return;
  throw diverged(remote, ref, `ours does not follow ${theirs}, which is there`, theirs);
}

function requireCapabilities(remote: Remote, { capabilities }: Advertisement): void {
  const format = [...capabilities].find((one) => one.startsWith('object-format=') && one !== 'object-format=sha1');
  const problem =
    format !== undefined
      ? `its repository has the ${format.replace('=', ' ')}, kubekeeper writes sha1`
      : capabilities.has('report-status')
        ? undefined
        : 'it does not tell what becomes of a push';
  if (problem !== undefined) throw pushRefused(remote, { words: problem, isTransient: false });
}

/** gitprotocol-pack, "Reference Update Request and Packfile Transfer"; without a pack when refs are only deleted. */
async function* renderRequest(
  store: ObjectStore,
  updates: readonly RefUpdate[],
  objects: MissingObjects,
  { advertised: { capabilities }, signal }: { readonly advertised: Advertisement; readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const lines = updates.map(({ ref, from = NOTHING, to = NOTHING }) => `${from} ${to} ${ref}`);
  const [first = '', ...others] = lines;
  const head = [`${first}\0${chooseCapabilities(capabilities).join(' ')}`, ...others].map((line) =>
    pktLine(`${line}\n`),
  );
  yield Buffer.concat([...head, FLUSH]);
  const hasPack = updates.some(({ to }) => to !== undefined);
  if (hasPack) yield* streamPack(store, objects, { canUseOffsets: capabilities.has('ofs-delta'), signal });
}

function chooseCapabilities(offered: ReadonlySet<string>): readonly string[] {
  const wanted = [
    'report-status',
    'side-band-64k',
    'atomic',
    'delete-refs',
    'ofs-delta',
    'quiet',
    'object-format=sha1',
  ];
  const chosen = wanted.filter((one) => offered.has(one));
  const hasAgent = [...offered].some((one) => one.startsWith('agent='));
  return hasAgent ? [...chosen, `agent=${AGENT}`] : chosen;
}
