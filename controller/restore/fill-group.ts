import { resourceName } from '../core/object.ts';
import { type Filling, fillingName, foreignness, groupContentFor } from '../core/restore/fill-objects.ts';
import { ended, type StepEnd } from './events.ts';
import { persist } from './persist.ts';
import { wordsOfRefusal } from './refusals.ts';
import type { Run } from './run.ts';
import { untilGone } from './waits.ts';

/**
 * Some drivers know a member of a group only once they were asked for the group: a static content with the group's handle makes the snapshotter
 * ask. It is needed only until the member is ready, and takes nothing along when it goes.
 */

const GROUP = 'groupsnapshot.storage.k8s.io';

/** Resolves what `work` does while the group is known; how it ended where the group cannot be named. */
export async function withGroup<T>(run: Run, filling: Filling, work: () => Promise<T>): Promise<T | StepEnd> {
  const { resources } = await run.catalogue();
  const resource = resources.find((one) => one.group === GROUP && one.plural === 'volumegroupsnapshotcontents');
  if (resource === undefined)
    return ended('failed', `${GROUP} is not served here, and the driver knows its snapshot only with its group`);
  const place = { name: fillingName(filling) };
  const ref = { resource: resourceName(resource), name: place.name };
  const wanted = groupContentFor(filling, resource.version);
  const answer = await persist(run, { ref }, () => run.target.create(resource, wanted, { dryRun: false }));
  if (answer.ok === 'ended') return answer.end;
  if (!answer.ok && answer.refused.reason !== 'AlreadyExists')
    return ended('failed', wordsOfRefusal(answer.refused, 'create', ref));
  try {
    return await work();
  } finally {
    const live = await run.target.get(resource, place);
    if (typeof live === 'object' && foreignness(live, wanted) === undefined) {
      const uid = String(live.metadata['uid'] ?? '');
      await run.target.remove(resource, place, { dryRun: false, uid, propagation: 'Background' });
      await untilGone(run, resource, place, uid, { isUsual: true });
    }
  }
}
