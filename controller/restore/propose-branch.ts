import { renderJson } from '../core/json.ts';
import { manifestPath } from '../core/manifest.ts';
import type { Json } from '../core/object.ts';
import { pickFields } from '../core/restore/pick-fields.ts';
import type { Plan } from '../core/restore/plan.ts';
import { renderProposal } from '../core/restore/proposal.ts';
import { KeeperError } from '../errors.ts';
import { readCommit } from '../git/commit-queue.ts';
import { diffTrees, treeAt } from '../git/compare-trees.ts';
import type { HistorySource } from '../git/history.ts';
import { blobId, type ObjectId } from '../git/object-id.ts';
import type { SideRepository } from '../git/side-repository.ts';
import type { ManifestEntry } from './hostile.ts';
import type { RestorePoint } from './restore-point.ts';

/** The files of a proposal: what of `main` becomes what it was at the restore point, by the steps of a plan. */

/** By path: a blob that is there, bytes, or undefined for a file that goes. */
type ProposedFiles = ReadonlyMap<string, ObjectId | Uint8Array | undefined>;

export interface ProposalParts {
  readonly plan: Plan;
  /** That of the plan. */
  readonly point: RestorePoint;
  /** Holds the restore point's objects and those of `main`. */
  readonly side: SideRepository;
}

const AUTHOR = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };

/** What a plan does to the files at this commit of `main`. Files that are as they should be already are left out. */
async function proposedFiles({ plan, point, side }: ProposalParts, base: ObjectId): Promise<ProposedFiles> {
  requireInPlace(plan);
  const entries = new Map(point.entries.map((entry) => [entry.path, entry]));
  const main = treeAt(side, base);
  const files = new Map<string, ObjectId | Uint8Array | undefined>();
  for (const { action, ref, path = manifestPath(ref) } of plan.steps) {
    if (action === 'keep' || action === 'skip') continue;
    const before = main.fileId(path);
    const entry = action === 'delete' ? undefined : entries.get(path);
    const after = entry === undefined ? undefined : await fileAfter(plan, { point, side, entry, before });
    const id = after instanceof Uint8Array ? blobId(Buffer.from(after)) : after;
    if (id !== before) files.set(path, after);
  }
  return files;
}

/** Of a plan for single fields only these are taken, and only into a file that there is. */
async function fileAfter(
  { selection: { fields } }: Plan,
  at: {
    readonly point: RestorePoint;
    readonly side: HistorySource;
    readonly entry: ManifestEntry;
    readonly before: ObjectId | undefined;
  },
): Promise<ObjectId | Uint8Array | undefined> {
  if (fields.length === 0) return at.entry.id;
  if (at.before === undefined) return undefined;
  const before = await at.point.read({ ...at.entry, id: at.before });
  const picked = pickFields(before as Json, (await at.point.read(at.entry)) as Json, fields);
  return new TextEncoder().encode(renderJson(picked));
}

function requireInPlace({ repository, target }: Plan): void {
  const namespace = target.namespace === '' ? '_cluster' : target.namespace;
  if (namespace === repository) return;
  throw new KeeperError(
    `Cannot propose to restore "${repository}" into "${namespace}": a pull request is about the files of one repository; nothing was changed, use restore`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}

/** The commit of a proposal on top of `base`; undefined when every file is as it should be already. */
export async function commitProposal(
  parts: ProposalParts,
  base: ObjectId,
  { title, time }: { readonly title: string; readonly time: Date },
): Promise<ObjectId | undefined> {
  const files = await proposedFiles(parts, base);
  const message = renderProposal(title, parts.plan);
  return await parts.side.commit(base, files, { message, author: AUTHOR, time });
}

/** Does a commit change its one parent to exactly what the plan would propose on top of it? */
export async function isProposalOf(parts: ProposalParts, commit: ObjectId): Promise<boolean> {
  const { parents } = readCommit(parts.side.store, commit);
  const [base] = parents;
  if (base === undefined || parents.length > 1) return false;
  const files = await proposedFiles(parts, base);
  const changes = await diffTrees(parts.side, base, commit);
  return changes.length === files.size && changes.every(({ path, after }) => files.has(path) && is(files, path, after));
}

function is(files: ProposedFiles, path: string, id: ObjectId | undefined): boolean {
  const file = files.get(path);
  return id === (file instanceof Uint8Array ? blobId(Buffer.from(file)) : file);
}
