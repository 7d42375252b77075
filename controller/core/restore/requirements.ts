import type { KubeObject } from '../object.ts';
import { oneLine } from '../words.ts';
import { type Reference, referencesOf, type Wanted } from './references.ts';

/** Names that will be there after the restore; undefined where they may not be read, so that nothing is said of them. */
export type KnownNames = Readonly<Record<Wanted, ReadonlySet<string> | undefined>>;

const CLASSES: Readonly<Partial<Record<Wanted, string>>> = {
  storageClasses: 'StorageClass',
  ingressClasses: 'IngressClass',
  priorityClasses: 'PriorityClass',
  runtimeClasses: 'RuntimeClass',
  gatewayClasses: 'GatewayClass',
};
const OBJECTS: Readonly<Partial<Record<Wanted, string>>> = {
  secrets: 'secrets',
  configMaps: 'configmaps',
  serviceAccounts: 'serviceaccounts',
};

/** Made by controllers as soon as the namespace is there. */
const MADE: Readonly<Partial<Record<Wanted, readonly string[]>>> = {
  configMaps: ['kube-root-ca.crt', 'openshift-service-ca.crt'],
  serviceAccounts: ['default', 'builder', 'deployer', 'pipeline'],
  priorityClasses: ['system-cluster-critical', 'system-node-critical'],
};

/** What the object needs and will not find, in words: 'StorageClass fast is not there', 'needs secrets/db, which will not be there'. */
export function missingOf(object: KubeObject, known: KnownNames): readonly string[] {
  const missing = referencesOf(object).filter(({ to, name }) => {
    const names = known[to];
    return names !== undefined && !names.has(name) && !(MADE[to] ?? []).includes(name);
  });
  return [...new Set(missing.map(describe))];
}

function describe({ to, name }: Reference): string {
  const kind = CLASSES[to];
  if (kind !== undefined) return `${kind} ${oneLine(name)} is not there`;
  return `needs ${OBJECTS[to] ?? to}/${oneLine(name)}, which will not be there`;
}
