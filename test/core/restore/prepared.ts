import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';
import { type PrepareContext, type Prepared, prepare } from '../../../controller/core/restore/prepare.ts';

/** Archived objects on their way to a target. */

interface Overrides extends Partial<Omit<PrepareContext, 'resource' | 'mappings' | 'requested'>> {
  readonly requested?: readonly string[];
  readonly mappings?: Partial<PrepareContext['mappings']>;
}

type Sent = Exclude<Prepared, { skip: string }>;

export const SAME: Overrides = {};
export const OTHER_NAMESPACE: Overrides = { to: { clusterId: 'c1', namespace: 'drill' } };
export const OTHER_CLUSTER: Overrides = { to: { clusterId: 'c2', namespace: 'shop' } };

/** An object as it lies in Git. */
export function archived(apiVersion: string, kind: string, fields: JsonObject = {}): KubeObject {
  const { metadata, ...rest } = fields;
  return { apiVersion, kind, metadata: { name: 'web', namespace: 'shop', ...(metadata as JsonObject) }, ...rest };
}

export function contextOf(resource: string, { mappings, requested, ...overrides }: Overrides = {}): PrepareContext {
  return {
    resource,
    from: { clusterId: 'c1', namespace: 'shop' },
    to: { clusterId: 'c1', namespace: 'shop' },
    requested: new Set(requested),
    recorded: [],
    isPlanned: () => false,
    mappings: { storageClasses: new Map(), hosts: undefined, images: [], ...mappings },
    ...overrides,
  };
}

/** Fails when it is skipped. */
export function sent(object: KubeObject, resource: string, overrides: Overrides = {}): Sent {
  const prepared = prepare(object, contextOf(resource, overrides));
  if ('skip' in prepared) throw new Error(`skipped: ${prepared.skip}`);
  return prepared;
}

/** Why it is not made; undefined when it is. */
export function skipped(object: KubeObject, resource: string, overrides: Overrides = {}): string | undefined {
  const prepared = prepare(object, contextOf(resource, overrides));
  return 'skip' in prepared ? prepared.skip : prepared.finished;
}
