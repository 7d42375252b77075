import type { Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import type { Space } from './space.ts';

/** Who signs every commit; who changed the cluster stands in the trailers, with its grade. */
export const AUTHOR = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };

/** Commits what is staged (only `paths`, when given) and says so; undefined when the tree would equal HEAD's, unless that is `sameTree`. */
export async function commitSpace(
  space: Space,
  commit: {
    readonly message: string;
    readonly objects: number;
    readonly paths?: ReadonlySet<string>;
    readonly sameTree?: boolean;
  },
  clock: Clock,
): Promise<Extract<Outcome, { type: 'committed' }> | undefined> {
  const started = clock.monotonic();
  const { message, objects, paths, sameTree = false } = commit;
  const options = { message, author: AUTHOR, time: new Date(clock.wall()), sameTree };
  const result = await space.repository.commit(options, paths);
  if (result === undefined) return undefined;
  return {
    type: 'committed',
    repository: space.name,
    id: result.id,
    subject: message.slice(0, message.indexOf('\n')),
    objects,
    bytes: result.bytes,
    durationMs: clock.monotonic() - started,
  };
}
