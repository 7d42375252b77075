import type { Json, JsonObject, KubeObject } from '../../controller/core/object.ts';
import { compileRules, isLeftOut, type RuleSet, type Sanitised, sanitise } from '../../controller/core/sanitise.ts';

/** Objects as an API server sends them, with everything volatile in them. */

export const builtIn: RuleSet = compileRules();

/** An object with the metadata that every server adds; `fields` may bring more metadata. */
export function object(apiVersion: string, kind: string, fields: JsonObject = {}): KubeObject {
  const { metadata, ...rest } = fields;
  return {
    apiVersion,
    kind,
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: '6f1c7d3a-0000-4000-8000-000000000001',
      resourceVersion: '4711',
      generation: 3,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(metadata as JsonObject | undefined),
    },
    ...rest,
  };
}

/** A managedFields entry; `fields` is fieldsV1. */
export function wrote(manager: string, fields: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    manager,
    operation: 'Update',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...more,
  };
}

export function service(spec: JsonObject, metadata: JsonObject = {}): KubeObject {
  return object('v1', 'Service', { metadata, spec, status: { loadBalancer: {} } });
}

export function deployment(fields: { spec?: JsonObject; metadata?: JsonObject } = {}): KubeObject {
  return object('apps/v1', 'Deployment', {
    metadata: { annotations: { 'deployment.kubernetes.io/revision': '7' }, ...fields.metadata },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { creationTimestamp: null, labels: { app: 'web' } },
        spec: {
          containers: [{ name: 'web', image: 'registry.example/web:1.4', resources: {} }],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
      ...fields.spec,
    },
    status: { replicas: 2 },
  });
}

/** What becomes of a copy of the object; fails when it is left out. */
export function clean(value: KubeObject, resource: string, rules = builtIn): Sanitised {
  const result = sanitise(structuredClone(value), resource, rules, { includeOwned: false });
  if (isLeftOut(result)) throw new Error(`left out by ${result.rule}`);
  return result;
}

/** The id of the rule that leaves the object out, or undefined. */
export function leftOutBy(value: KubeObject, resource: string, rules = builtIn): string | undefined {
  const result = sanitise(structuredClone(value), resource, rules, { includeOwned: false });
  return isLeftOut(result) ? result.rule : undefined;
}

/** A value of the cleaned object by keys. */
export function at(value: Json | undefined, ...keys: (string | number)[]): Json | undefined {
  return keys.reduce<Json | undefined>((found, key) => (found as { [key: string]: Json } | undefined)?.[key], value);
}
