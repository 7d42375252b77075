import type { PullRequest } from '../core/ports.ts';
import type { MergeDifference } from '../core/restore/merged.ts';
import { type Proposal, parseProposal } from '../core/restore/proposal.ts';
import { isAncestor } from '../git/ancestry.ts';
import { parseTrailers } from '../git/commit-object.ts';
import { readCommit } from '../git/commit-queue.ts';
import { type CommitTree, diffTrees, type FileDifference, treeAt } from '../git/compare-trees.ts';
import type { ObjectId } from '../git/object-id.ts';
import { MAIN } from '../git/refs.ts';
import type { Advertisement } from '../git/remote/discover.ts';
import type { SideRepository } from '../git/side-repository.ts';

/** What a merge did, by its objects and not by what the forge says of it: merge commit, squash and rebase come to the same. */

export interface Merge {
  readonly side: SideRepository;
  /** What the merge made; undefined where `main` does not hold it. */
  readonly commit: ObjectId | undefined;
  /** Of the branch's last commit; undefined where that is none of ours, or more than one commit was merged. */
  readonly proposal: Proposal | undefined;
  readonly difference: MergeDifference;
  /** What the branch changed. */
  readonly proposed: readonly FileDifference[];
}

const NOTHING = { proposal: undefined, difference: { outside: [], otherwise: [] }, proposed: [] };

/** Brings what is not here: `main` as it is there now, and the branch, which forges keep as a ref of the pull request. */
export async function readMerge(
  side: SideRepository,
  pull: PullRequest,
  advertised: Advertisement,
  bring: (wants: readonly ObjectId[]) => Promise<unknown>,
): Promise<Merge> {
  const main = advertised.refs.get(MAIN);
  const { mergeCommit, head } = pull;
  if (main === undefined || mergeCommit === undefined) {
    return { side, commit: undefined, ...NOTHING };
  }
  const wants = [main, head].filter((id) => !side.store.has(id));
  if (wants.length > 0) await bring(wants);
  const [before] = isOn(side, mergeCommit, main) ? readCommit(side.store, mergeCommit).parents : [];
  if (before === undefined) return { side, commit: undefined, ...NOTHING };
  const { parents, message } = readCommit(side.store, head);
  const [base] = parents;
  if (base === undefined || parents.length > 1 || !isOn(side, base, before)) {
    return { side, commit: mergeCommit, ...NOTHING };
  }
  const proposal = parseProposal(parseTrailers(message));
  const proposed = await diffTrees(side, base, head);
  const difference = compare(proposed, await diffTrees(side, before, mergeCommit), treeAt(side, mergeCommit));
  return { side, commit: mergeCommit, proposal, difference, proposed };
}

function compare(
  proposed: readonly FileDifference[],
  merged: readonly FileDifference[],
  after: CommitTree,
): MergeDifference {
  const paths = new Set(proposed.map(({ path }) => path));
  return {
    outside: merged.filter(({ path }) => !paths.has(path)).map(({ path }) => path),
    otherwise: proposed.filter((one) => after.fileId(one.path) !== one.after).map(({ path }) => path),
  };
}

function isOn(side: SideRepository, id: ObjectId, branch: ObjectId): boolean {
  return side.store.has(id) && isAncestor(side.store, id, branch);
}
