import { isAncestor } from '../git/ancestry.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Repository } from '../git/repository.ts';
import { isOurPast } from './publish-line.ts';
import { isSideBranch, MAIN, NOTES, sideBranch, sideNotes, TAGS, TRACKING } from './publish-refs.ts';
import type { Advertisement, RefUpdate } from './remote-port.ts';

/** What one atomic push has to move, create and delete at the remote. Each step is forward; nothing is ever forced. */
export interface Updates {
  /** Our `main` as it is pushed; what is committed meanwhile goes with the next push. */
  readonly head: ObjectId;
  /** What of it the remote has already; undefined for nothing. */
  readonly base: ObjectId | undefined;
  readonly updates: readonly RefUpdate[];
  /** The side branch that has our commits now, where `main` is not ours to move. */
  readonly side: string | undefined;
  /** Tags that mean something else at the remote; left alone on both sides. */
  readonly clashes: readonly string[];
}

export function planUpdates(
  repository: Repository,
  seen: Advertisement,
  options: { readonly cluster: string; readonly isMainOurs: boolean },
): Updates {
  const { head } = repository;
  if (head === undefined) throw new TypeError('Nothing to push');
  const tags = planTags(repository, seen);
  const branches = options.isMainOurs
    ? planMain(repository, seen, { head, cluster: options.cluster })
    : planSide(repository, seen, { head, cluster: options.cluster });
  return {
    head,
    base: branches.base,
    updates: [...branches.updates, ...tags.updates, ...planNotes(repository, seen, options.cluster)],
    side: branches.side,
    clashes: tags.clashes,
  };
}

interface Line {
  readonly head: ObjectId;
  readonly cluster: string;
}

type Branches = Pick<Updates, 'base' | 'updates' | 'side'>;

/** Main moves forward, and side branches that it holds are no longer needed. */
function planMain(repository: Repository, seen: Advertisement, { head, cluster }: Line): Branches {
  const base = seen.refs.get(MAIN);
  const resolved = [...seen.refs].filter(([name, id]) => isSideBranch(name, cluster) && isOurPast(repository, id));
  const updates = [
    ...(base === head ? [] : [{ ref: MAIN, from: base, to: head }]),
    ...resolved.map(([ref, id]) => ({ ref, from: id, to: undefined })),
  ];
  return { base, updates, side: undefined };
}

/** Nothing while their `main` holds all of ours. Somebody may have committed onto our branch too: then it is the next one. */
function planSide(repository: Repository, seen: Advertisement, { head, cluster }: Line): Branches {
  const theirs = seen.refs.get(MAIN);
  if (theirs !== undefined && isAncestor(repository.store, head, theirs))
    return { base: head, updates: [], side: undefined };
  for (let nth = 1; ; nth++) {
    const side = sideBranch(cluster, nth);
    const from = seen.refs.get(side);
    if (from !== undefined && !isOurPast(repository, from)) continue;
    const base = from ?? repository.ref(TRACKING);
    return { base, updates: from === head ? [] : [{ ref: side, from, to: head }], side };
  }
}

function planTags(repository: Repository, seen: Advertisement) {
  const updates: RefUpdate[] = [];
  const clashes: string[] = [];
  for (const [ref, to] of repository.refs()) {
    if (!ref.startsWith(TAGS)) continue;
    const from = seen.refs.get(ref);
    if (from === undefined) updates.push({ ref, from, to });
    else if (from !== to) clashes.push(ref.slice(TAGS.length));
  }
  return { updates, clashes };
}

/** Notes that others wrote over go to a ref of their own, as commits do. */
function planNotes(repository: Repository, seen: Advertisement, cluster: string): readonly RefUpdate[] {
  const to = repository.ref(NOTES);
  if (to === undefined) return [];
  for (const ref of [NOTES, sideNotes(cluster)]) {
    const from = seen.refs.get(ref);
    if (from === to) return [];
    if (from === undefined || isBehind(repository, from, to)) return [{ ref, from, to }];
  }
  return [];
}

function isBehind({ store }: Repository, from: ObjectId, to: ObjectId): boolean {
  return isAncestor(store, from, to);
}
