import { PROPOSALS, parseProposal } from '../core/restore/proposal.ts';
import { commitsBetween, isAncestor } from '../git/ancestry.ts';
import { parseTrailers } from '../git/commit-object.ts';
import { readCommit } from '../git/commit-queue.ts';
import { diffTrees, treeAt } from '../git/compare-trees.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Repository } from '../git/repository.ts';
import { isOurPast } from './publish-line.ts';
import { PROPOSED, proposedRef, TRACKING } from './publish-refs.ts';
import type { Advertisement } from './remote-port.ts';

/**
 * A restore that was proposed as a pull request comes to `main` when it is merged, by whatever way the forge merges. It is no stranger's
 * work: its files are those of our own restore point. So it is joined at once, and what it asks for is applied by who restores.
 */

const BRANCH = `refs/heads/${PROPOSALS}`;
/** Each is fetched once. */
const MOST_AT_ONCE = 20;

/** Proposals that are open there, as far as they are not here. */
export function unknownProposals(repository: Repository, seen: Advertisement): readonly ObjectId[] {
  const open = [...seen.refs].filter(([name]) => name.startsWith(BRANCH)).map(([, id]) => id);
  return open.filter((id) => !repository.store.has(id)).slice(0, MOST_AT_ONCE);
}

/** Keeps those that are here: after a squash nothing else leads to them, and forges remove the branch. */
export async function keepProposals(repository: Repository, seen: Advertisement): Promise<void> {
  for (const [name, id] of seen.refs) {
    const ref = proposedRef(id);
    if (!name.startsWith(BRANCH) || !repository.store.has(id) || repository.ref(ref) !== undefined) continue;
    await repository.updateRef(ref, { from: undefined, to: id });
  }
}

/** Of branches that are gone, once `main` is ours. */
export async function forgetProposals(repository: Repository, seen: Advertisement): Promise<void> {
  const open = new Set([...seen.refs].filter(([name]) => name.startsWith(BRANCH)).map(([, id]) => id));
  for (const [ref, id] of keptProposals(repository)) {
    if (!open.has(id)) await repository.updateRef(ref, { from: id, to: undefined });
  }
}

function keptProposals(repository: Repository): readonly (readonly [ref: string, id: ObjectId])[] {
  return [...repository.refs()].filter(([name]) => name.startsWith(PROPOSED));
}

/** Is all that their `main` has beyond what we left there what we proposed? */
export async function isProposed(repository: Repository, theirs: ObjectId): Promise<boolean> {
  const { store } = repository;
  const left = repository.ref(TRACKING);
  if (left === undefined || !isAncestor(store, left, theirs)) return false;
  const changes = await diffTrees(repository, left, theirs);
  if (changes.length === 0) return false;
  const allowed = new Set<string>();
  const merged = [...commitsBetween(store, left, theirs)].map(({ id }) => id);
  for (const id of new Set([...merged, ...keptProposals(repository).map(([, kept]) => kept)])) {
    for (const change of await proposedBy(repository, id)) allowed.add(change);
  }
  return changes.every(({ path, after }) => allowed.has(changeKey(path, after)));
}

/** What a proposal changes; nothing where that is not as it was at a restore point of ours. */
async function proposedBy(repository: Repository, id: ObjectId): Promise<readonly string[]> {
  const { parents, message } = readCommit(repository.store, id);
  const [base] = parents;
  const proposal = parents.length === 1 ? parseProposal(parseTrailers(message)) : undefined;
  if (proposal === undefined || base === undefined || !repository.store.has(base)) return [];
  if (!isOurPast(repository, proposal.restoreTo)) return [];
  const point = treeAt(repository, proposal.restoreTo);
  const changes = await diffTrees(repository, base, id);
  const isForFields = proposal.selection.fields.length > 0;
  return changes
    .filter(({ path, after }) => after === point.fileId(path) || (isForFields && after !== undefined))
    .map(({ path, after }) => changeKey(path, after));
}

function changeKey(path: string, after: ObjectId | undefined): string {
  return `${after ?? 'gone'} ${path}`;
}
