import type { LabelSelector } from '../../api/label-selector.ts';
import { type Json, type JsonObject, type KubeObject, objectAt, type Resource, stringAt } from '../object.ts';
import { type ClaimRecord, type DataNote, parseNote, renderNote } from './record.ts';

/** The objects that ask for snapshots, and those through which lost ones are deleted. */

type Served = Pick<Resource, 'group' | 'version' | 'kind'>;
type Labels = Readonly<Record<string, string>>;

/** What was asked, whatever happens to us before the commit's note says it. */
const REQUEST = 'kubekeeper.dev/request';
/** The commit that the one with these snapshots follows; '' where it is the first. */
const AFTER = 'kubekeeper.dev/after';

interface Request {
  readonly namespace: string;
  readonly name: string;
  readonly className: string;
  readonly labels: Labels;
  readonly after: string;
  /** By claim. */
  readonly records: Readonly<Record<string, ClaimRecord>>;
}

export function snapshotRequest(served: Served, request: Request, claim: string): KubeObject {
  const spec = { volumeSnapshotClassName: request.className, source: { persistentVolumeClaimName: claim } };
  return { ...headOf(served, request), spec };
}

export function groupSnapshotRequest(served: Served, request: Request, selector: LabelSelector): KubeObject {
  const source = { selector: selector as unknown as Json };
  return { ...headOf(served, request), spec: { volumeGroupSnapshotClassName: request.className, source } };
}

function headOf(served: Served, { namespace, name, labels, after, records }: Request): KubeObject {
  const annotations = { [AFTER]: after, [REQUEST]: renderNote({ version: 1, claims: { ...records } }) };
  return {
    apiVersion: `${served.group}/${served.version}`,
    kind: served.kind,
    metadata: { name, namespace, labels: { ...labels }, annotations },
  };
}

/** The newest commit when it was asked for, '' where there was none; undefined where nobody says so. */
export function askedAfter(snapshot: KubeObject): string | undefined {
  const after = stringAt(objectAt(snapshot.metadata, 'annotations'), AFTER);
  return after !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})?$/.test(after) ? after : undefined;
}

/** What a VolumeSnapshot or VolumeGroupSnapshot of ours was asked for, by claim; empty where somebody wrote over it. */
export function requestedBy(snapshot: KubeObject): NonNullable<DataNote['claims']> {
  const text = stringAt(objectAt(snapshot.metadata, 'annotations'), REQUEST);
  if (text === undefined) return {};
  try {
    return parseNote(text, '').claims ?? {};
  } catch {
    // Whoever may write here may write anything; then it is known by its name alone.
    return {};
  }
}

/** Without it the snapshotter forgets a content that nobody is bound to before its driver has heard of it. */
const CONTENT_FINALIZER = 'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection';
const GROUP_FINALIZER = 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshotcontent-bound-protection';

interface Removal {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly record: ClaimRecord;
  /** The class, for its secrets; undefined when it is gone. */
  readonly snapshotClass: KubeObject | undefined;
}

/** A content that exists only to be deleted, and the snapshot with it. */
export function removalContent(served: Served, removal: Removal, handle: string): KubeObject {
  return {
    ...removalHead(served, removal, CONTENT_FINALIZER),
    spec: {
      deletionPolicy: 'Delete',
      driver: removal.record.driver,
      source: { snapshotHandle: handle },
      volumeSnapshotRef: { kind: 'VolumeSnapshot', namespace: removal.namespace, name: removal.name },
    },
  };
}

/** A content through which the driver says whether a handle is ready. Whoever deletes it deletes no snapshot. */
export function lookContent(served: Served, removal: Omit<Removal, 'snapshotClass'>, handle: string): KubeObject {
  const { metadata, ...rest } = removalContent(served, { ...removal, snapshotClass: undefined }, handle);
  const { finalizers: _, ...head } = metadata;
  return {
    ...rest,
    metadata: head,
    spec: { ...objectAt(rest as Json as JsonObject, 'spec'), deletionPolicy: 'Retain' },
  } as KubeObject;
}

export function removalGroupContent(
  served: Served,
  removal: Removal,
  handle: string,
  members: readonly string[],
): KubeObject {
  return {
    ...removalHead(served, removal, GROUP_FINALIZER),
    spec: {
      deletionPolicy: 'Delete',
      driver: removal.record.driver,
      source: { groupSnapshotHandles: { volumeGroupSnapshotHandle: handle, volumeSnapshotHandles: [...members] } },
      volumeGroupSnapshotRef: { kind: 'VolumeGroupSnapshot', namespace: removal.namespace, name: removal.name },
    },
  };
}

function removalHead(served: Served, { name, labels, snapshotClass }: Removal, finalizer: string): KubeObject {
  return {
    apiVersion: `${served.group}/${served.version}`,
    kind: served.kind,
    metadata: { name, labels: { ...labels }, finalizers: [finalizer], annotations: secretsOf(served, snapshotClass) },
  };
}

/** Where the driver's own credentials are, for those that need them; names with templates are left to the driver. */
function secretsOf({ group }: Served, snapshotClass: KubeObject | undefined): JsonObject {
  const parameters = objectAt(snapshotClass, 'parameters');
  const isGroup = group.startsWith('group');
  const prefix = `csi.storage.k8s.io/${isGroup ? 'group-' : ''}snapshotter-secret-`;
  const [name, namespace] = ['name', 'namespace'].map((key) => stringAt(parameters, `${prefix}${key}`));
  if (name === undefined || namespace === undefined || `${name}${namespace}`.includes('$')) return {};
  const key = `${isGroup ? 'groupsnapshot' : 'snapshot'}.storage.kubernetes.io/deletion-secret-`;
  return { [`${key}name`]: name, [`${key}namespace`]: namespace };
}
