import { objectAt, stringAt } from '../../object.ts';
import { renderPointer, setAt } from '../../pointer.ts';
import { SNAPSHOT_GROUP } from '../fill-objects.ts';
import { parseQuantity, renderQuantity } from '../quantity.ts';
import {
  at,
  type Draft,
  drop,
  dropKey,
  isOtherCluster,
  isOtherNamespace,
  leave,
  metadataMap,
  rewrite,
  stringsAt,
} from './draft.ts';

/** Claims and volumes. The way from a claim to its bytes is kept only where the bytes can still be there. */

/** Written for one volume on one node. */
const PROVISIONED = [
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
  'volume.kubernetes.io/selected-node',
  'volume.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-resizer',
  'volume.beta.kubernetes.io/storage-provisioner',
];
const PROVISIONING = PROVISIONED.map((key) => renderPointer(['metadata', 'annotations', key]));

export function prepareClaim(draft: Draft): void {
  mapClass(draft, '/spec/storageClassName');
  const volume = stringsAt(draft, '/spec/volumeName');
  // Where its bytes come from can only be said when a claim is made.
  draft.given.push('/spec/volumeName', '/spec/dataSource', '/spec/dataSourceRef', ...PROVISIONING);
  const { filling } = draft.context;
  if (filling !== undefined) askForEnough(draft, filling.bytes);
  if (filling?.snapshot !== undefined) {
    fillFrom(draft, filling.snapshot);
    return;
  }
  if (volume !== undefined && bindsAgain(draft, volume)) {
    draft.notes.push(`is bound to volume ${volume} again, when that is free`);
    return;
  }
  if (drop(draft, '/spec/volumeName')) draft.notes.push(`gets another volume: ${volume} is not there`);
  for (const key of PROVISIONED) dropKey(draft, 'annotations', key);
  dropLostSource(draft);
}

/** Any volume will do, so that it can be made from the snapshot. */
function fillFrom(draft: Draft, snapshot: string): void {
  drop(draft, '/spec/volumeName');
  for (const key of PROVISIONED) dropKey(draft, 'annotations', key);
  drop(draft, '/spec/dataSourceRef');
  // It finds volumes that somebody made; no driver makes one for it.
  if (leave(draft, '/spec/selector')) draft.notes.push('without its selector: the volume is made from its snapshot');
  const source = { apiGroup: SNAPSHOT_GROUP, kind: 'VolumeSnapshot', name: snapshot };
  setAt(draft.object, '/spec/dataSource', source);
}

const REQUEST = '/spec/resources/requests/storage';

/** Drivers refuse a claim that is smaller than its snapshot, and no claim ever shrinks. */
function askForEnough(draft: Draft, bytes: number | undefined): void {
  const asked = parseQuantity(at(draft, REQUEST));
  const needed = bytes === undefined ? undefined : parseQuantity(bytes);
  if (asked === undefined || needed === undefined || asked >= needed) return;
  draft.notes.push(`asks for ${renderQuantity(needed)} instead of ${renderQuantity(asked)}: its snapshot needs that`);
  setAt(draft.object, REQUEST, renderQuantity(needed));
  draft.given.push(REQUEST);
}

function bindsAgain({ context }: Draft, volume: string): boolean {
  return !isOtherNamespace(context) && context.isPlanned('', 'PersistentVolume', volume);
}

/** A claim waits for ever for a source that does not exist. */
function dropLostSource(draft: Draft): void {
  const source =
    objectAt(objectAt(draft.object, 'spec'), 'dataSourceRef') ?? objectAt(objectAt(draft.object, 'spec'), 'dataSource');
  if (source === undefined) return;
  const [group, kind, name] = ['apiGroup', 'kind', 'name'].map((key) => stringAt(source, key) ?? '');
  const own = draft.object.metadata['namespace'];
  const isElsewhere = source['namespace'] !== undefined && source['namespace'] !== own;
  if (!isElsewhere && draft.context.isPlanned(group ?? '', kind ?? '', name ?? '')) return;
  drop(draft, '/spec/dataSource');
  drop(draft, '/spec/dataSourceRef');
  draft.notes.push(`is not filled from ${kind} ${name}, which is not there`);
}

export function prepareVolume(draft: Draft): void {
  mapClass(draft, '/spec/storageClassName');
  drop(draft, '/spec/claimRef/uid');
  drop(draft, '/spec/claimRef/resourceVersion');
  const { context } = draft;
  if (isOtherNamespace(context)) {
    rewrite(draft, '/spec/claimRef/namespace', (name) =>
      name === context.from.namespace ? context.to.namespace : name,
    );
  }
  draft.notes.push('only its object is restored: the data must still be where it points to');
  if (isOtherCluster(context) && at(draft, '/spec/nodeAffinity') !== undefined) {
    draft.notes.push('nodeAffinity names nodes or zones of the cluster that it was archived in');
  }
}

/** A volume that was made for a claim, and was to go with it, is the other cluster's. */
export function volumeSkipReason(draft: Draft): string | undefined {
  if (!isOtherCluster(draft.context)) return undefined;
  const isMade = Object.hasOwn(metadataMap(draft.object, 'annotations'), 'pv.kubernetes.io/provisioned-by');
  return isMade && stringsAt(draft, '/spec/persistentVolumeReclaimPolicy') === 'Delete'
    ? 'was made for its claim in another cluster; here the claim gets a volume of its own'
    : undefined;
}

export function prepareStatefulSet(draft: Draft): void {
  mapClass(draft, '/spec/volumeClaimTemplates/*/spec/storageClassName');
}

function mapClass(draft: Draft, pattern: string): void {
  const { storageClasses } = draft.context.mappings;
  const mapped = new Map<string, string>();
  const change = (name: string): string => {
    const next = storageClasses.get(name) ?? name;
    if (next !== name) mapped.set(name, next);
    return next;
  };
  rewrite(draft, pattern, change);
  if (pattern === '/spec/storageClassName') {
    rewrite(draft, '/metadata/annotations/volume.beta.kubernetes.io~1storage-class', change);
  }
  for (const [from, to] of mapped) draft.notes.push(`StorageClass ${to} instead of ${from}`);
}
