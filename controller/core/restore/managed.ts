import { type KubeObject, objectAt, stringAt } from '../object.ts';

/** Who besides people keeps an object as it is in some Git repository: a change beside it is undone at the next synchronisation. */

interface Keys {
  readonly labels: (key: string) => string | undefined;
  readonly annotations: (key: string) => string | undefined;
  readonly object: KubeObject;
}

/** 'Argo CD application shop', 'Flux Kustomization flux-system/apps', ...; undefined for nobody. Helm alone keeps nothing. */
export function managedBy(object: KubeObject): string | undefined {
  const metadata = objectAt(object, 'metadata');
  const [labels, annotations] = [objectAt(metadata, 'labels'), objectAt(metadata, 'annotations')];
  const keys: Keys = {
    labels: (key) => stringAt(labels, key),
    annotations: (key) => stringAt(annotations, key),
    object,
  };
  return argo(keys) ?? flux(keys) ?? fleet(keys) ?? others(keys);
}

function argo({ labels, annotations, object }: Keys): string | undefined {
  const tracking = annotations('argocd.argoproj.io/tracking-id');
  const application = tracking === undefined ? labels('argocd.argoproj.io/instance') : trackedBy(tracking, object);
  return application === undefined || application === '' ? undefined : `Argo CD application ${application}`;
}

/** 'APPLICATION:GROUP/KIND:NAMESPACE/NAME'; a copy of it on another object counts for nothing, as with Argo CD itself. */
function trackedBy(tracking: string, object: KubeObject): string | undefined {
  const match = /^(.+):([^:/]*)\/([^:/]+):([^:/]*)\/(.+)$/.exec(tracking);
  if (match === null) return undefined;
  const [, application, , kind, namespace, name] = match;
  const own = stringAt(object.metadata, 'namespace');
  const isOwn = kind === object.kind && name === object.metadata.name && (own === undefined || namespace === own);
  return isOwn ? application : undefined;
}

function flux({ labels, annotations }: Keys): string | undefined {
  for (const [kind, prefix] of [
    ['Kustomization', 'kustomize.toolkit.fluxcd.io'],
    ['HelmRelease', 'helm.toolkit.fluxcd.io'],
  ]) {
    const name = labels(`${prefix}/name`);
    // Told to leave it alone, Flux does.
    const isLeft = annotations(`${prefix}/reconcile`) === 'disabled' || labels(`${prefix}/reconcile`) === 'disabled';
    if (name !== undefined && !isLeft) return `Flux ${kind} ${labels(`${prefix}/namespace`) ?? ''}/${name}`;
  }
  return undefined;
}

function fleet({ labels, annotations }: Keys): string | undefined {
  const bundle =
    labels('fleet.cattle.io/bundle-name') ??
    annotations('fleet.cattle.io/bundle-id') ??
    (annotations('objectset.rio.cattle.io/owner-gvk')?.startsWith('fleet.cattle.io/') === true
      ? annotations('objectset.rio.cattle.io/id')
      : undefined);
  return bundle === undefined ? undefined : `Rancher Fleet bundle ${bundle}`;
}

function others({ labels, annotations }: Keys): string | undefined {
  if (annotations('configmanagement.gke.io/managed') === 'enabled') return 'Config Sync';
  const app = labels('kapp.k14s.io/app');
  return app === undefined ? undefined : `kapp application ${app}`;
}
