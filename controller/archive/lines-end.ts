import { ARCHIVE_FILE } from '../core/archive-file.ts';
import { lineMark } from '../core/line.ts';
import { parseManifestPath } from '../core/manifest.ts';
import { type ObjectChange, renderMessage } from '../core/message.ts';
import type { Outcome } from '../core/outcome.ts';
import { retireRepository, syncRetired } from '../git/retire-repository.ts';
import type { Closing } from './close-window.ts';
import { commitSpace } from './commit-space.ts';
import type { Space } from './space.ts';
import type { Guard } from './spaces.ts';
import type { Storage } from './storage.ts';
import { release } from './sweep-guard.ts';

export interface RetireParts {
  readonly dataDirectory: string;
  readonly storage: Storage;
  readonly closing: Closing;
  readonly guard: Guard | undefined;
}

export interface RetireHooks {
  /** Whoever works with the repository beside the window must let go of it. */
  readonly release: (repository: string) => Promise<void>;
  readonly report: (outcome: Outcome) => void;
}

/**
 * Ends a line that nobody uses any more and gives its repository, closed by then, a name of its own, which it answers. Undefined for
 * a line without a commit: there is nothing to keep.
 */
export async function retireLine(
  { storage, closing, dataDirectory, guard }: RetireParts,
  hooks: RetireHooks,
  space: Space,
  nextUid: string,
): Promise<string | undefined> {
  const { name, repository } = space;
  const isEmpty = repository.head === undefined;
  const mark = lineMark(space.line.uid);
  {
    await using _closed = space;
    await hooks.release(name);
    if (isEmpty) return undefined;
    const committed = await storage.persist(name, () => endLine(closing, space, nextUid));
    if (committed !== undefined) hooks.report(committed);
  }
  const retired = await storage.persist(name, () => retireRepository(dataDirectory, name, mark, guard));
  await storage.persist(name, () => syncRetired(dataDirectory));
  return retired;
}

/**
 * The last commit of a line: what was its namespace's is gone, which the new uid proves, so no guard holds these deletions. What waits
 * in the window is dropped: it may belong to the new namespace. Undefined where nothing was left to delete.
 */
async function endLine(closing: Closing, space: Space, nextUid: string): Promise<Outcome | undefined> {
  await dropWindow(closing, space);
  const paths = [...space.repository.files()].map(({ path }) => path).filter((path) => path !== ARCHIVE_FILE);
  if (paths.length === 0) return undefined;
  for (const path of paths) space.repository.stageDeletion(path);
  const message = renderMessage(
    paths.flatMap((path) => deletionOf(space, path)),
    {
      headline: `namespace ${space.name} deleted, and made again with another uid: this line ends`,
      clusterId: closing.clusterId === '' ? 'unknown' : closing.clusterId,
      trailers: [
        ['Namespace-Uid', space.line.uid],
        ['Next-Namespace-Uid', nextUid],
      ],
    },
  );
  return await commitSpace(space, { message, objects: paths.length, paths: new Set(paths) }, closing.clock);
}

async function dropWindow(closing: Closing, space: Space): Promise<void> {
  for (const path of [...space.repository.stagedPaths()]) space.repository.unstage(path);
  space.pending.clear();
  space.held.clear();
  if (space.heldReported > 0) await release(space, closing.ledger);
}

function deletionOf({ name: namespace }: Space, path: string): readonly ObjectChange[] {
  const place = parseManifestPath(path);
  if (place === undefined) return [];
  const { resource, name = path } = place;
  const ref = resource === 'namespaces' ? { resource, name } : { resource, namespace, name };
  return [{ ref, what: 'deleted', fields: [], actors: [] }];
}
