import type { PullRequest, PullRequests } from '../core/ports.ts';
import { decideMerged, type MergedVerdict, type PlanNow } from '../core/restore/merged.ts';
import type { Plan, Selection } from '../core/restore/plan.ts';
import { countsLine } from '../core/restore/plan-rows.ts';
import type { Proposal } from '../core/restore/proposal.ts';
import { parsePlanHash } from '../core/restore/render-plan.ts';
import { isAncestor } from '../git/ancestry.ts';
import { treeAt } from '../git/compare-trees.ts';
import { openArchive } from '../git/open-archive.ts';
import type { Merge } from './merge-facts.ts';
import { isProposalOf } from './propose-branch.ts';
import { openRestorePoint, type RestorePoint } from './restore-point.ts';

/** One merged pull request, looked at from all sides, and applied when it is what was proposed. */

/** What became of it. */
export interface Applied {
  /** One line: 'restored 214 objects, equal'. */
  readonly words: string;
  /** More of it in Markdown; '' for nothing. */
  readonly markdown: string;
}

/** A plan that was made again and can be carried out, until it is disposed of. */
export interface PlannedAgain extends AsyncDisposable {
  readonly plan: Plan;
  /** Archives and tags what lives now, and plans once more. */
  secure(): Promise<Plan>;
  /** What was planned last. */
  apply(): Promise<Applied>;
}

export interface ApplyParts {
  readonly pull: PullRequest;
  readonly reviews: Awaited<ReturnType<PullRequests['reviews']>>;
  readonly needsApproval: boolean;
  /** Ours, with the restore point. */
  readonly directory: string;
  readonly planAgain: (point: RestorePoint, selection: Selection) => Promise<PlannedAgain>;
  /** Durable before anything is applied. */
  readonly begin: (proposal: Proposal) => Promise<void>;
}

export type Ended =
  | { readonly result: 'applied'; readonly applied: Applied }
  | { readonly result: 'refused'; readonly reason: string };

/** Undefined while there is nothing to apply. */
export async function applyWhenItFits(parts: ApplyParts, merge: Merge): Promise<Ended | undefined> {
  const { pull, reviews, needsApproval } = parts;
  const facts = {
    pull: { ...pull, mergeCommit: merge.commit },
    reviews,
    needsApproval,
    shownPlan: parsePlanHash(pull.body),
    proposal: merge.proposal,
    merge: merge.difference,
  };
  const first = decideMerged({ ...facts, now: undefined });
  if (first.type !== 'plan') return refusal(first);
  const { restoreTo, selection } = first.proposal;
  if (!(await isArchived(parts.directory, restoreTo))) return { result: 'refused', reason: NO_POINT };
  await using point = await openRestorePoint(parts.directory, restoreTo);
  await using planned = await parts.planAgain(point, selection);
  const look = async (plan: Plan) => decideMerged({ ...facts, now: await planNow(plan, parts, { point, merge }) });
  const second = await look(planned.plan);
  if (second.type !== 'apply') return refusal(second);
  // Only now it is known what lives, to the last change.
  const last = await look(await planned.secure());
  if (last.type !== 'apply') return refusal(last);
  await parts.begin(last.proposal);
  return { result: 'applied', applied: await planned.apply() };
}

const NO_POINT = 'its restore point is not in the history that is archived here; nothing was changed, propose it again';

function refusal(verdict: MergedVerdict): Ended | undefined {
  return verdict.type === 'refuse' ? { result: 'refused', reason: verdict.reason } : undefined;
}

async function planNow(
  plan: Plan,
  { pull, directory }: Pick<ApplyParts, 'pull' | 'directory'>,
  { point, merge }: { readonly point: RestorePoint; readonly merge: Merge },
): Promise<PlanNow> {
  const isOnBranch = await isProposalOf({ plan, point, side: merge.side }, pull.head);
  return { hash: plan.hash, words: countsLine(plan), isOnBranch, moved: await movedSince(directory, merge) };
}

/** What was proposed is a change of files: these must be what they were. */
async function movedSince(directory: string, { proposed }: Merge): Promise<readonly string[]> {
  using archive = await openArchive(directory);
  if (archive.head === undefined) return [];
  const tree = treeAt(archive, archive.head);
  return proposed.filter(({ path, before }) => tree.fileId(path) !== before).map(({ path }) => path);
}

/** What somebody pushed and was kept here is no restore point. */
async function isArchived(directory: string, id: string): Promise<boolean> {
  using archive = await openArchive(directory);
  const { store, head } = archive;
  return head !== undefined && store.has(id) && isAncestor(store, id, head);
}
