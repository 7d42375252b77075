import { isJsonObject, type Json, type JsonObject, type KubeObject, type ResourceName } from '../../object.ts';
import { childAt, parsePointer, renderPointer, setAt, valueAt } from '../../pointer.ts';

/** What preparing an object for a target knows and makes; each file beside this one is one theme of it. */

export interface PrepareContext {
  readonly resource: ResourceName;
  /** Where the manifest was archived; `namespace` is '' for cluster-scoped objects. */
  readonly from: { readonly clusterId: string; readonly namespace: string };
  readonly to: { readonly clusterId: string; readonly namespace: string };
  /** Pointers that the commits call Requested for this object. */
  readonly requested: ReadonlySet<string>;
  /** What the commits recorded of it: '/status/phase "Bound"'. */
  readonly recorded: readonly string[];
  /** Of a claim: the VolumeSnapshot that it is filled from (undefined: it lives already), and the bytes that its data needs. */
  readonly filling?: { readonly snapshot: string | undefined; readonly bytes: number | undefined } | undefined;
  /** Will the object live after the restore: does it live, or does the same restore bring (and not skip) it? In the target's namespace, or without one. */
  isPlanned(group: string, kind: string, name: string): boolean;
  readonly mappings: {
    readonly storageClasses: ReadonlyMap<string, string>;
    /** 'clear': no host of the archive answers in the target. */
    readonly hosts: ReadonlyMap<string, string> | 'clear' | undefined;
    /** Prefixes of image references, the first that fits counts. */
    readonly images: readonly (readonly [from: string, to: string])[];
  };
}

/** A link to make once the owner lives. */
export interface OwnerLink {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** When the server refuses what lies at these pointers, they are left out. */
export interface Fallback {
  readonly pointers: readonly string[];
  readonly note: string;
}

export interface Draft {
  /** Ours to change. */
  readonly object: KubeObject;
  readonly context: PrepareContext;
  /** Why it must not be made, though one that lives may be changed: a Job that had finished. */
  readonly finished: string | undefined;
  readonly notes: string[];
  readonly fallbacks: Fallback[];
  readonly owners: OwnerLink[];
  readonly finalizers: string[];
  /** Pointers of what the target gives out itself: where the object lives, its value there stays. */
  readonly given: string[];
}

/** The namespace of the same name in the same cluster: what was given out to the object there is tried again. */
export function isSamePlace({ from, to }: PrepareContext): boolean {
  return !isOtherCluster({ from, to }) && from.namespace === to.namespace;
}

export function isOtherCluster({ from, to }: Pick<PrepareContext, 'from' | 'to'>): boolean {
  return from.clusterId !== to.clusterId || from.clusterId === '';
}

export function isOtherNamespace({ from, to }: PrepareContext): boolean {
  return from.namespace !== '' && to.namespace !== '' && from.namespace !== to.namespace;
}

export function at(draft: Draft, pointer: string): Json | undefined {
  return valueAt(draft.object, pointer);
}

export function stringsAt(draft: Draft, pointer: string): string | undefined {
  const value = at(draft, pointer);
  return typeof value === 'string' ? value : undefined;
}

/** Takes the value out; false when nothing was there. */
export function drop(draft: Draft, pointer: string): boolean {
  if (at(draft, pointer) === undefined) return false;
  setAt(draft.object, pointer, undefined);
  return true;
}

/** Takes out what the target gives out itself; false when nothing was there. */
export function leave(draft: Draft, pointer: string): boolean {
  draft.given.push(pointer);
  const found = drop(draft, pointer);
  const map = pointer.slice(0, pointer.lastIndexOf('/'));
  const isEmptied =
    map === '/metadata/annotations' && Object.keys(metadataMap(draft.object, 'annotations')).length === 0;
  if (found && isEmptied) drop(draft, map);
  return found;
}

/** The concrete pointers that exist of one with '*' segments. */
export function placesOf(root: Json, pattern: string): readonly string[] {
  let places: { readonly path: readonly string[]; readonly value: Json }[] = [{ path: [], value: root }];
  for (const segment of parsePointer(pattern)) {
    places = places.flatMap(({ path, value }) => {
      const keys = segment === '*' && typeof value === 'object' && value !== null ? Object.keys(value) : [segment];
      return keys.flatMap((key) => {
        const child = childAt(value, key);
        return child === undefined ? [] : [{ path: [...path, key], value: child }];
      });
    });
  }
  return places.map(({ path }) => renderPointer(path));
}

/** Rewrites every string at a pattern; `change` gives the same text for what stays. Returns how many were changed. */
export function rewrite(draft: Draft, pattern: string, change: (text: string) => string): number {
  let changed = 0;
  for (const pointer of placesOf(draft.object, pattern)) {
    const value = at(draft, pointer);
    if (typeof value !== 'string') continue;
    const next = change(value);
    if (next === value) continue;
    setAt(draft.object, pointer, next);
    changed++;
  }
  return changed;
}

/** Where the pod spec of a kind lies; undefined for what makes no pods. */
export function podSpecPointer(resource: ResourceName): string | undefined {
  return POD_SPECS[resource];
}

const POD_SPECS: Readonly<Record<ResourceName, string>> = {
  pods: '/spec',
  podtemplates: '/template/spec',
  replicationcontrollers: '/spec/template/spec',
  'deployments.apps': '/spec/template/spec',
  'statefulsets.apps': '/spec/template/spec',
  'daemonsets.apps': '/spec/template/spec',
  'replicasets.apps': '/spec/template/spec',
  'jobs.batch': '/spec/template/spec',
  'cronjobs.batch': '/spec/jobTemplate/spec/template/spec',
  'deploymentconfigs.apps.openshift.io': '/spec/template/spec',
};

export function metadataMap(object: KubeObject, key: 'annotations' | 'labels'): JsonObject {
  const map = valueAt(object, `/metadata/${key}`);
  return isJsonObject(map) ? map : {};
}

/** Takes an annotation or label out, and the map with the last one. */
export function dropKey(draft: Draft, map: 'annotations' | 'labels', key: string): boolean {
  const holder = metadataMap(draft.object, map);
  if (!Object.hasOwn(holder, key)) return false;
  delete holder[key];
  if (Object.keys(holder).length === 0) drop(draft, `/metadata/${map}`);
  return true;
}
