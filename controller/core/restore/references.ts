import { arrayAt, type Json, type KubeObject, objectAt, type ResourceName, resourceName, stringAt } from '../object.ts';
import { valueAt } from '../pointer.ts';
import { podSpecPointer } from './prepare/draft.ts';
import { KNOWN_SPELLINGS } from './spellings.ts';

/** What other objects an object names and cannot do without. Optional references are left out. */

export type Wanted =
  | 'storageClasses'
  | 'ingressClasses'
  | 'priorityClasses'
  | 'runtimeClasses'
  | 'gatewayClasses'
  | 'secrets'
  | 'configMaps'
  | 'serviceAccounts';

export interface Reference {
  readonly to: Wanted;
  readonly name: string;
}

const RESOURCES: ReadonlyMap<string, ResourceName> = new Map(
  KNOWN_SPELLINGS.map((one) => [`${one.group}/${one.kind}`, resourceName(one)]),
);

export function referencesOf(object: KubeObject): readonly Reference[] {
  const slash = object.apiVersion.indexOf('/');
  const group = slash === -1 ? '' : object.apiVersion.slice(0, slash);
  const resource = RESOURCES.get(`${group}/${object.kind}`);
  const spec = objectAt(object, 'spec');
  const pods = resource === undefined ? undefined : podSpecPointer(resource);
  return [
    ...(pods === undefined ? [] : ofPods(valueAt(object, pods))),
    ...arrayAt(spec, 'volumeClaimTemplates').flatMap((one) =>
      ref('storageClasses', objectAt(one, 'spec'), 'storageClassName'),
    ),
    ...(resource === 'persistentvolumeclaims' ? ref('storageClasses', spec, 'storageClassName') : []),
    ...(resource === 'ingresses.networking.k8s.io' ? ofIngress(spec) : []),
    ...(object.kind === 'Gateway' && group === 'gateway.networking.k8s.io'
      ? ref('gatewayClasses', spec, 'gatewayClassName')
      : []),
    ...(resource === 'serviceaccounts'
      ? arrayAt(object, 'imagePullSecrets').flatMap((one) => ref('secrets', one, 'name'))
      : []),
    ...(resource === 'routes.route.openshift.io'
      ? ref('secrets', objectAt(objectAt(spec, 'tls'), 'externalCertificate'), 'name')
      : []),
  ];
}

function ofIngress(spec: Json | undefined): readonly Reference[] {
  return [
    ...ref('ingressClasses', spec, 'ingressClassName'),
    ...arrayAt(spec, 'tls').flatMap((one) => ref('secrets', one, 'secretName')),
  ];
}

function ofPods(spec: Json | undefined): readonly Reference[] {
  const containers = [...arrayAt(spec, 'initContainers'), ...arrayAt(spec, 'containers')];
  return [
    ...ref('serviceAccounts', spec, 'serviceAccountName'),
    ...ref('priorityClasses', spec, 'priorityClassName'),
    ...ref('runtimeClasses', spec, 'runtimeClassName'),
    ...arrayAt(spec, 'imagePullSecrets').flatMap((one) => ref('secrets', one, 'name')),
    ...containers.flatMap(ofContainer),
    ...arrayAt(spec, 'volumes').flatMap(ofVolume),
  ];
}

function ofContainer(container: Json): readonly Reference[] {
  return [
    ...arrayAt(container, 'envFrom').flatMap((one) => [
      ...needed('secrets', objectAt(one, 'secretRef'), 'name'),
      ...needed('configMaps', objectAt(one, 'configMapRef'), 'name'),
    ]),
    ...arrayAt(container, 'env').flatMap((one) => [
      ...needed('secrets', objectAt(objectAt(one, 'valueFrom'), 'secretKeyRef'), 'name'),
      ...needed('configMaps', objectAt(objectAt(one, 'valueFrom'), 'configMapKeyRef'), 'name'),
    ]),
  ];
}

function ofVolume(volume: Json): readonly Reference[] {
  const sources = arrayAt(objectAt(volume, 'projected'), 'sources');
  return [
    ...needed('secrets', objectAt(volume, 'secret'), 'secretName'),
    ...needed('configMaps', objectAt(volume, 'configMap'), 'name'),
    ...sources.flatMap((one) => [
      ...needed('secrets', objectAt(one, 'secret'), 'name'),
      ...needed('configMaps', objectAt(one, 'configMap'), 'name'),
    ]),
  ];
}

function needed(to: Wanted, holder: Json | undefined, key: string): readonly Reference[] {
  return objectAt({ holder: holder ?? null }, 'holder')?.['optional'] === true ? [] : ref(to, holder, key);
}

function ref(to: Wanted, holder: Json | undefined, key: string): readonly Reference[] {
  const name = stringAt(holder, key);
  return name === undefined || name === '' ? [] : [{ to, name }];
}
