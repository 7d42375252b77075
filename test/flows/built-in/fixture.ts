import type { KubeObject, ResourceName } from '../../../controller/core/object.ts';

/** One object that a test can create, rich in the fields that an archive could lose. */
export interface Fixture {
  readonly resource: ResourceName;
  /** Absent for cluster-scoped objects. */
  readonly namespace?: string;
  readonly object: KubeObject;
}

/** Holds nearly all namespaced fixtures. */
export const NAMESPACE = 'built-in';

/** Holds a quota and limits, which would change what is created beside them. */
export const LIMITED_NAMESPACE = 'built-in-limits';

export function inNamespace(resource: ResourceName, object: KubeObject, namespace: string = NAMESPACE): Fixture {
  return { resource, namespace, object: { ...object, metadata: { ...object.metadata, namespace } } };
}

export function inCluster(resource: ResourceName, object: KubeObject): Fixture {
  return { resource, object };
}

/** Text that API fields of bytes take. */
export function bytes(text: string): string {
  return Buffer.from(text).toString('base64');
}
