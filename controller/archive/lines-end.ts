import { ARCHIVE_FILE } from '../core/archive-file.ts';
import { parseManifestPath } from '../core/manifest.ts';
import { type ObjectChange, renderMessage } from '../core/message.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Closing } from './close-window.ts';
import { commitSpace } from './commit-space.ts';
import type { Space } from './space.ts';
import { release } from './sweep-guard.ts';

/**
 * The last commit of a line: what was its namespace's is gone, which the new uid proves, so no guard holds these deletions. What waits
 * in the window is dropped: it may belong to the new namespace. Undefined where nothing was left to delete.
 */
export async function endLine(closing: Closing, space: Space, nextUid: string): Promise<Outcome | undefined> {
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
