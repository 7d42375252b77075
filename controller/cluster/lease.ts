import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseJson } from '../core/json.ts';
import { type Json, type JsonObject, type KubeObject, objectAt, stringAt } from '../core/object.ts';
import type { LeaseRecord, LeaseStore } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import type { Connection, RequestOptions } from './connect.ts';
import { unparsable } from './errors.ts';
import { isKubeObject, resourcePath } from './objects.ts';
import { SERVICE_ACCOUNT } from './service-account.ts';

export interface LeasePlace {
  readonly namespace: string;
  readonly name: string;
}

const LEASES = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true };

/** Half of the time that a leader trusts in a renewal: one that hangs leaves room for another. */
const TIMEOUT_MS = 5_000;

/**
 * A coordination.k8s.io/v1 Lease on the API server. Each request has an answer or fails within 5 s. What others keep in the
 * object (labels, annotations) stays. Throws KeeperError; a missing right or namespace says what to grant or make.
 */
export function openLeaseStore(connection: Connection, place: LeasePlace): LeaseStore {
  // The whole object behind each record that was handed out.
  const objects = new WeakMap<LeaseRecord, KubeObject>();
  const keep = (object: KubeObject): LeaseRecord => {
    const record = recordOf(object);
    objects.set(record, object);
    return record;
  };
  const path = resourcePath(LEASES, place.namespace, place.name);
  return {
    async read(signal) {
      const object = await explained(place, 'get', () => ask(connection, path, { method: 'GET', signal }));
      return object === undefined ? undefined : keep(object);
    },
    async write(next, seen, signal) {
      const body = JSON.stringify(renderLease(place, next, seen, seen === undefined ? undefined : objects.get(seen)));
      const written = await (seen === undefined
        ? explained(place, 'create', () =>
            ask(connection, resourcePath(LEASES, place.namespace), { method: 'POST', body, signal }),
          )
        : explained(place, 'update', () => ask(connection, path, { method: 'PUT', body, signal })));
      return written === undefined ? undefined : keep(written);
    },
  };
}

/** `kubekeeper` in the pod's own namespace, in `default` outside of a cluster, unless another is named. */
export function leasePlace(named: LeasePlace | undefined): LeasePlace {
  return named ?? { namespace: readOwnNamespace() ?? 'default', name: 'kubekeeper' };
}

function readOwnNamespace(): string | undefined {
  try {
    return readFileSync(join(dirname(SERVICE_ACCOUNT.token), 'namespace'), 'utf8').trim() || undefined;
  } catch {
    // Only a pod has this file.
    return undefined;
  }
}

/** Undefined when there is none, or when somebody else was faster: made it, changed it, removed it. */
async function ask(
  connection: Connection,
  path: string,
  options: RequestOptions & { readonly method: 'GET' | 'POST' | 'PUT' },
): Promise<KubeObject | undefined> {
  try {
    const { text } = await connection.request(path, { ...options, timeoutMs: TIMEOUT_MS });
    const object: unknown = parseJson(text);
    if (isKubeObject(object)) return object;
    throw unparsable({ ...options, path, server: connection.server }, new Error('not a Lease'));
  } catch (error) {
    if (error instanceof SyntaxError) throw unparsable({ ...options, path, server: connection.server }, error);
    if (!(error instanceof KeeperError)) throw error;
    if (error.details['status'] === 409) return undefined;
    // Making one in a namespace that is not there is answered like this as well.
    if (error.code === 'OBJECT_NOT_FOUND' && options.method !== 'POST') return undefined;
    throw error;
  }
}

function recordOf(object: KubeObject): LeaseRecord {
  const spec = objectAt(object, 'spec');
  return {
    holder: stringAt(spec, 'holderIdentity') ?? '',
    durationSeconds: numberAt(spec, 'leaseDurationSeconds') ?? 0,
    transitions: numberAt(spec, 'leaseTransitions') ?? 0,
    resourceVersion: stringAt(objectAt(object, 'metadata'), 'resourceVersion') ?? '',
  };
}

function numberAt(object: JsonObject | undefined, name: string): number | undefined {
  const value: Json | undefined = object?.[name];
  return typeof value === 'number' ? value : undefined;
}

/** Times are for people: nobody judges by them. A holder's stays from its first renewal to its last. */
function renderLease(
  place: LeasePlace,
  next: Omit<LeaseRecord, 'resourceVersion'>,
  seen: LeaseRecord | undefined,
  before: KubeObject | undefined,
): JsonObject {
  const now = microTime(new Date());
  const spec = objectAt(before, 'spec') ?? {};
  const acquireTime = next.holder === seen?.holder ? (spec['acquireTime'] ?? now) : now;
  const version = seen === undefined ? {} : { resourceVersion: seen.resourceVersion };
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...objectAt(before, 'metadata'), name: place.name, namespace: place.namespace, ...version },
    spec: {
      ...spec,
      holderIdentity: next.holder,
      leaseDurationSeconds: next.durationSeconds,
      leaseTransitions: next.transitions,
      acquireTime,
      renewTime: now,
    },
  };
}

/** Six digits after the point, as Kubernetes writes a MicroTime. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}

/** The two refusals that a person must mend say how. */
async function explained<T>(place: LeasePlace, verb: 'get' | 'create' | 'update', ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error;
    const { namespace, name } = place;
    const details = { ...error.details, namespace, name, verb };
    if (error.code === 'RESOURCE_FORBIDDEN') {
      throw new KeeperError(
        `Cannot take part in the election: not permitted to ${verb} the Lease "${name}" in namespace "${namespace}"; nothing was archived, grant get, create and update on leases.coordination.k8s.io there`,
        { kind: 'stalled', code: 'RESOURCE_FORBIDDEN', details, cause: error },
      );
    }
    if (error.code === 'OBJECT_NOT_FOUND') {
      throw new KeeperError(
        `Cannot take part in the election: there is no namespace "${namespace}" for the Lease "${name}"; nothing was archived, make it or name another with --lease`,
        { kind: 'stalled', code: 'OBJECT_NOT_FOUND', details, cause: error },
      );
    }
    throw error;
  }
}
