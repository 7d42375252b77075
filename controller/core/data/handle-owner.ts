import { type KubeObject, objectAt, stringAt } from '../object.ts';
import { snapshotOf } from './binding.ts';
import { hasLabels, RESTORE_LABELS } from './snapshot-names.ts';

/**
 * Whose snapshot it is. The handle in a note is text that anybody wrote who may push notes: with somebody else's, a restore would hand out his
 * data, and a prune would delete it. What contents say in the cluster counts more.
 */

export interface Handle {
  readonly driver: string;
  readonly handle: string;
}

/** The namespace whose it is, when that is none of `namespaces`; undefined also where nobody in the cluster knows the handle. `contents`: all of the cluster. */
export function otherOwnerOf(
  contents: readonly KubeObject[],
  { driver, handle }: Handle,
  namespaces: readonly string[],
): string | undefined {
  const owners = contents
    .filter((one) => isOf(one, driver, handle) && !hasLabels(one, RESTORE_LABELS))
    .map((one) => snapshotOf(one).namespace);
  return owners.some((owner) => namespaces.includes(owner)) ? undefined : owners[0];
}

function isOf(content: KubeObject, driver: string, handle: string): boolean {
  const spec = objectAt(content, 'spec');
  const known = [
    stringAt(objectAt(spec, 'source'), 'snapshotHandle'),
    stringAt(objectAt(content, 'status'), 'snapshotHandle'),
  ];
  return stringAt(spec, 'driver') === driver && known.includes(handle);
}
