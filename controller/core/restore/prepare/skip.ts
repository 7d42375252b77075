import { arrayAt, type KubeObject, objectAt, parseResourceName, type ResourceName, stringAt } from '../../object.ts';
import { resourceOfKind } from '../spellings.ts';
import { metadataMap, type PrepareContext } from './draft.ts';

/** What is archived, or was by somebody's own rules, and must not be made again. */

/** Whole resources. */
const RESOURCES: Readonly<Record<ResourceName, string>> = {
  nodes: 'a node registers itself',
  events: 'tells what happened, not what is',
  'events.events.k8s.io': 'tells what happened, not what is',
  'leases.coordination.k8s.io': 'whoever needs the lock takes it anew',
  'controllerrevisions.apps': 'the workload controllers keep this history themselves',
  'csinodes.storage.k8s.io': 'the storage driver makes it on each node',
  'csistoragecapacities.storage.k8s.io': 'the storage driver makes it',
  'volumeattachments.storage.k8s.io': 'volumes are attached anew where their pods run',
  'volumesnapshots.snapshot.storage.k8s.io': 'a snapshot is not made by writing its object',
  'volumesnapshotcontents.snapshot.storage.k8s.io': 'a snapshot is not made by writing its object',
  'certificatesigningrequests.certificates.k8s.io': 'the request was answered, and is over',
  'builds.build.openshift.io': 'the history of a BuildConfig; it would not build again',
  'images.image.openshift.io': 'the registry makes it when the image is pushed or imported',
  'imagetags.image.openshift.io': 'a view of the ImageStream',
  'imagestreamtags.image.openshift.io': 'a view of the ImageStream',
  'imagestreamimages.image.openshift.io': 'a view of the ImageStream',
  'templateinstances.template.openshift.io': 'what it made is restored itself; it would make it twice',
  'brokertemplateinstances.template.openshift.io': 'what it made is restored itself; it would make it twice',
  'projects.project.openshift.io': 'a view of the Namespace',
  'restores.kubekeeper.dev': 'one run; it would run again',
  'clusterrestores.kubekeeper.dev': 'one run; it would run again',
  'backups.kubekeeper.dev': 'one run; it would run again',
};

/** Built-in workload kinds make their children again; claims, Secrets and ConfigMaps are data and are not. */
const MAKERS: ReadonlySet<string> = new Set([
  'apps/Deployment',
  'apps/ReplicaSet',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'batch/Job',
  'batch/CronJob',
  '/ReplicationController',
  '/Service',
  '/Endpoints',
  'apps.openshift.io/DeploymentConfig',
]);
const MADE: ReadonlySet<ResourceName> = new Set([
  'pods',
  'replicasets.apps',
  'replicationcontrollers',
  'jobs.batch',
  'endpoints',
  'endpointslices.discovery.k8s.io',
  'controllerrevisions.apps',
]);

/** Why the object is not restored; undefined when it is. */
export function skipReason(object: KubeObject, context: PrepareContext): string | undefined {
  const { resource } = context;
  if (Object.hasOwn(RESOURCES, resource)) return RESOURCES[resource];
  if (parseResourceName(resource).group === 'authorization.openshift.io' && resource.includes('role')) {
    return 'a second view of the RBAC objects';
  }
  return madeByOwner(object, context) ?? madeByCluster(object, resource);
}

function madeByOwner(object: KubeObject, { resource, isPlanned }: PrepareContext): string | undefined {
  if (!MADE.has(resource)) return undefined;
  for (const owner of arrayAt(objectAt(object, 'metadata'), 'ownerReferences')) {
    if (objectAt({ owner }, 'owner')?.['controller'] !== true) continue;
    const [apiVersion = '', kind = '', name = ''] = ['apiVersion', 'kind', 'name'].map((key) => stringAt(owner, key));
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    if (!MAKERS.has(`${group}/${kind}`)) continue;
    const maker = `${resourceOfKind(group, kind)}/${name}`;
    if (kind === 'CronJob') return `a run of ${maker}, which runs again by its schedule`;
    if (isPlanned(group, kind, name)) return `made again by its owner ${maker}`;
  }
  return undefined;
}

function madeByCluster(object: KubeObject, resource: ResourceName): string | undefined {
  const { name } = object.metadata;
  const annotations = Object.keys(metadataMap(object, 'annotations'));
  switch (resource) {
    case 'pods':
      return annotations.includes('kubernetes.io/config.mirror')
        ? 'the kubelet makes it from a file of its node'
        : annotations.includes('openshift.io/build.name')
          ? 'the pod of a build, which is over'
          : undefined;
    case 'configmaps':
      return ['kube-root-ca.crt', 'openshift-service-ca.crt', 'istio-ca-root-cert'].includes(name)
        ? 'a controller puts it into every namespace'
        : undefined;
    case 'services':
      return name === 'kubernetes' && object.metadata['namespace'] === 'default'
        ? 'the API server makes it for itself'
        : undefined;
    case 'apiservices.apiregistration.k8s.io':
      return objectAt(objectAt(object, 'spec'), 'service') === undefined
        ? 'the API server makes it for its own groups and for those of definitions'
        : undefined;
    case 'rolebindings.rbac.authorization.k8s.io':
      return ['system:image-pullers', 'system:image-builders', 'system:deployers'].includes(name)
        ? 'OpenShift makes it in every project'
        : undefined;
    case 'secrets':
      return secretReason(object, annotations);
    default:
      return undefined;
  }
}

function secretReason(object: KubeObject, annotations: readonly string[]): string | undefined {
  const type = stringAt(object, 'type');
  if (annotations.some((key) => /^service\.(?:alpha|beta)\.openshift\.io\/originating-service-name$/.test(key))) {
    return 'OpenShift makes the certificate for its Service';
  }
  if (type === 'bootstrap.kubernetes.io/token') return 'let a node join, for a day';
  const isGenerated = /-dockercfg-[a-z0-9]{5}$/.test(object.metadata.name);
  if (isGenerated && (type === 'kubernetes.io/dockercfg' || type === 'kubernetes.io/dockerconfigjson')) {
    return 'OpenShift makes a pull secret for each ServiceAccount';
  }
  return undefined;
}
