import type { ObjectId } from '../git/object-id.ts';
import type { Repository } from '../git/repository.ts';
import { AUTHOR } from './commit-space.ts';
import { describeForeign } from './publish-line.ts';
import type { PublishParts } from './publish-parts.ts';

/**
 * Makes one line of two: a commit of ours that has their `main` as its second parent, so that both histories are kept and main
 * moves forward. Its tree is ours, because the live state is what an archive holds; the message says whose commits were joined.
 */
export async function join(parts: PublishParts, name: string, repository: Repository, theirs: ObjectId): Promise<void> {
  const started = parts.clock.monotonic();
  const subject = `joined ${describeForeign(repository, theirs)}`;
  const message = [
    subject,
    'They are kept in the history. The files are those of the live state, as before.',
    `Archived-From: cluster ${parts.clusterId === '' ? 'unknown' : parts.clusterId}\nJoined: ${theirs}`,
  ].join('\n\n');
  const time = new Date(parts.clock.wall());
  const result = await repository.commit({ message, author: AUTHOR, time, mergeParents: [theirs] }, new Set());
  if (result === undefined) return;
  const durationMs = parts.clock.monotonic() - started;
  parts.report({
    type: 'committed',
    repository: name,
    id: result.id,
    subject,
    objects: 0,
    bytes: result.bytes,
    durationMs,
  });
}
