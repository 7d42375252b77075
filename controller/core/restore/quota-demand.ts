import { arrayAt, isJsonObject, type Json, type KubeObject, objectAt, type ResourceName, stringAt } from '../object.ts';
import { valueAt } from '../pointer.ts';
import { parseQuantity } from './quantity.ts';

/** What one more object counts against quotas: the name in `status.hard` -> billionths. */
export type Demand = ReadonlyMap<string, bigint>;

const ONE = 1_000_000_000n;
/** Counted under their plain names, too. */
const PLAIN: ReadonlySet<ResourceName> = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
]);
const IMAGE_STREAMS = 'imagestreams.image.openshift.io';

export function demandOf(resource: ResourceName, object: KubeObject): Demand {
  const demand = new Map<string, bigint>([[`count/${resource}`, ONE]]);
  if (PLAIN.has(resource)) demand.set(resource, ONE);
  if (resource === 'services') addService(demand, object);
  if (resource === 'persistentvolumeclaims') addClaim(demand, object);
  if (resource === 'pods') addPod(demand, object);
  if (resource === IMAGE_STREAMS) demand.set('openshift.io/imagestreams', ONE);
  return demand;
}

function addService(demand: Map<string, bigint>, service: KubeObject): void {
  const spec = objectAt(service, 'spec');
  const type = stringAt(spec, 'type');
  const isBalanced = type === 'LoadBalancer';
  if (isBalanced) demand.set('services.loadbalancers', ONE);
  const hasPorts = type === 'NodePort' || (isBalanced && spec?.['allocateLoadBalancerNodePorts'] !== false);
  if (hasPorts) demand.set('services.nodeports', BigInt(arrayAt(spec, 'ports').length) * ONE);
}

function addClaim(demand: Map<string, bigint>, claim: KubeObject): void {
  const storage = parseQuantity(valueAt(claim, '/spec/resources/requests/storage'));
  if (storage !== undefined) demand.set('requests.storage', storage);
  const name =
    stringAt(objectAt(claim.metadata, 'annotations'), 'volume.beta.kubernetes.io/storage-class') ??
    stringAt(objectAt(claim, 'spec'), 'storageClassName');
  if (name === undefined || name === '') return;
  demand.set(`${name}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE);
  if (storage !== undefined) demand.set(`${name}.storageclass.storage.k8s.io/requests.storage`, storage);
}

/** The sum of the containers, or one init container that wants more. */
function addPod(demand: Map<string, bigint>, pod: KubeObject): void {
  const spec = objectAt(pod, 'spec');
  for (const side of ['requests', 'limits']) {
    const running = arrayAt(spec, 'containers').map((one) => resourcesOf(one, side));
    const first = arrayAt(spec, 'initContainers').map((one) => resourcesOf(one, side));
    for (const name of new Set([...running, ...first].flatMap((one) => [...one.keys()]))) {
      const sum = running.reduce((total, one) => total + (one.get(name) ?? 0n), 0n);
      const most = first.reduce(
        (highest, one) => ((one.get(name) ?? 0n) > highest ? (one.get(name) ?? 0n) : highest),
        sum,
      );
      demand.set(`${side}.${name}`, most);
      const isPlain = side === 'requests' && ['cpu', 'memory', 'ephemeral-storage'].includes(name);
      if (isPlain) demand.set(name, most);
    }
  }
}

function resourcesOf(container: Json, side: string): ReadonlyMap<string, bigint> {
  const resources = objectAt(container, 'resources');
  // What has a limit and no request requests its limit.
  const wanted = { ...(side === 'requests' ? objectAt(resources, 'limits') : {}), ...objectAt(resources, side) };
  if (!isJsonObject(wanted)) return new Map();
  return new Map(
    Object.entries(wanted).flatMap(([name, value]) => {
      const amount = parseQuantity(value);
      return amount === undefined ? [] : [[name, amount] as const];
    }),
  );
}
