import type { PullRequest, Review } from '../ports.ts';
import { oneLine } from '../words.ts';
import type { Proposal } from './proposal.ts';

/** Whether a pull request is the plan that was proposed, reviewed and merged, and nothing else. */

export interface MergedFacts {
  /** `mergeCommit` only where `main` holds it. */
  readonly pull: Pick<PullRequest, 'state' | 'base' | 'head' | 'mergeCommit'>;
  readonly reviews: readonly Review[];
  /** Somebody must have approved it; else an approval counts only where there is one. */
  readonly needsApproval: boolean;
  /** The hash in the text that the reviewers saw; undefined where it names none. */
  readonly shownPlan: string | undefined;
  /** What the branch's commit says; undefined where it is none of ours, or not alone on what main was. */
  readonly proposal: Proposal | undefined;
  readonly merge: MergeDifference;
  /** Of the same restore point, planned again; undefined as long as nobody did. */
  readonly now: PlanNow | undefined;
}

/** Paths in which the merge is not what was proposed. */
export interface MergeDifference {
  /** Changed by the merge, and not by the proposal. */
  readonly outside: readonly string[];
  /** Proposed, and something else after the merge. */
  readonly otherwise: readonly string[];
}

export interface PlanNow {
  readonly hash: string;
  /** 'shop from 3f2a10c: 2 to update', for a person. */
  readonly words: string;
  /** The branch holds exactly the files that this plan would propose. */
  readonly isOnBranch: boolean;
  /** Proposed paths that are archived otherwise by now than when they were proposed. */
  readonly moved: readonly string[];
}

export type MergedVerdict =
  /** Not merged (yet). */
  | { readonly type: 'wait' }
  /** All fits so far: plan again and ask once more. */
  | { readonly type: 'plan'; readonly proposal: Proposal }
  | { readonly type: 'apply'; readonly proposal: Proposal }
  /** One line without a period: why, and what to do. */
  | { readonly type: 'refuse'; readonly reason: string };

const AGAIN = 'nothing was changed, propose it again';

export function decideMerged(facts: MergedFacts): MergedVerdict {
  if (facts.pull.state !== 'merged') return { type: 'wait' };
  const { proposal, now } = facts;
  const problem = mergeProblem(facts);
  if (problem !== undefined || proposal === undefined) return refuse(problem ?? NO_PROPOSAL);
  if (now === undefined) return { type: 'plan', proposal };
  if (now.hash !== proposal.plan)
    return refuse(
      `the plan does not fit any more, since the live state moved or other rights apply: it is now ${now.words}`,
    );
  if (now.moved.length > 0) return refuse(`the live state of ${list(now.moved)} moved after it was proposed`);
  if (!now.isOnBranch) return refuse('the branch holds other files than its plan would write');
  return { type: 'apply', proposal };
}

const NO_PROPOSAL = 'the last commit of the branch is none that kubekeeper proposed, so the branch was changed';

function mergeProblem({ pull, proposal, merge, shownPlan, ...facts }: MergedFacts): string | undefined {
  if (pull.base !== 'main') return `it was merged into ${oneLine(pull.base)}, and only main is applied`;
  if (pull.mergeCommit === undefined) return 'main does not hold what the forge calls the merge';
  const approval = approvalProblem(facts, pull.head);
  if (approval !== undefined) return approval;
  if (proposal === undefined) return NO_PROPOSAL;
  if (shownPlan !== undefined && shownPlan !== proposal.plan)
    return 'the text of the pull request names another plan than the branch';
  if (merge.outside.length > 0) return `the merge changed ${list(merge.outside)}, which is not in the plan`;
  if (merge.otherwise.length > 0) return `after the merge ${list(merge.otherwise)} is not what was proposed`;
  return undefined;
}

function approvalProblem(
  { reviews, needsApproval }: Pick<MergedFacts, 'reviews' | 'needsApproval'>,
  head: string,
): string | undefined {
  const approvals = reviews.filter(({ verdict }) => verdict === 'approved');
  if (approvals.some(({ commit }) => commit === head)) return undefined;
  const [first] = approvals;
  if (first !== undefined) return `the branch was changed after ${oneLine(first.by)} had approved it`;
  return needsApproval ? 'nobody has approved it' : undefined;
}

function refuse(why: string): MergedVerdict {
  return { type: 'refuse', reason: `${why}; ${AGAIN}` };
}

function list(paths: readonly string[]): string {
  const shown = paths.slice(0, 3).map((path) => oneLine(path.slice(0, 200)));
  return paths.length > 3 ? `${shown.join(', ')} and ${paths.length - 3} more` : shown.join(', ');
}
