import { type KubeObject, parseResourceName, type ResourceName } from '../object.ts';
import { copy } from '../sanitise-held.ts';
import { prepareApiService, prepareDefinition, prepareWebhooks } from './prepare/api-machinery.ts';
import type { Draft, Fallback, OwnerLink, PrepareContext } from './prepare/draft.ts';
import { finishedReason } from './prepare/finished.ts';
import { prepareHosts } from './prepare/hosts.ts';
import { prepareImages } from './prepare/images.ts';
import { prepareFinalizers, prepareOwners } from './prepare/links.ts';
import { prepareMetadata, prepareNamespace } from './prepare/metadata.ts';
import { prepareNamespaceReferences } from './prepare/namespace-references.ts';
import {
  prepareAutoscaler,
  prepareBuildConfig,
  prepareConstraints,
  prepareDeploymentConfig,
  prepareImageStream,
} from './prepare/openshift.ts';
import { prepareAccount, prepareJob, preparePod, prepareWorkload } from './prepare/pods.ts';
import { prepareService } from './prepare/service.ts';
import { skipReason } from './prepare/skip.ts';
import { prepareClaim, prepareStatefulSet, prepareVolume, volumeSkipReason } from './prepare/storage.ts';

export type { Fallback, OwnerLink, PrepareContext };

/** What of an archived object is sent to the target. */
export type Prepared =
  | { readonly skip: string }
  | {
      /** A new object; without `status`, owners and what others must take away. */
      readonly object: KubeObject;
      readonly notes: readonly string[];
      /** In this order; only for a create. */
      readonly fallbacks: readonly Fallback[];
      /** To be linked when the owners live. */
      readonly owners: readonly OwnerLink[];
      /** To be added at the end. */
      readonly finalizers: readonly string[];
      /** Pointers of what the target gives out itself: where the object lives, its value there stays. */
      readonly given: readonly string[];
      readonly finished: Draft['finished'];
    };

/** Makes an archived object ready for a target; the argument is not changed. */
export function prepare(object: KubeObject, context: PrepareContext): Prepared {
  const draft: Draft = {
    object: copy(object),
    context,
    finished: finishedReason(object, context),
    notes: [],
    fallbacks: [],
    owners: [],
    finalizers: [],
    given: [],
  };
  const skip =
    skipReason(draft.object, context) ??
    (context.resource === 'persistentvolumes' ? volumeSkipReason(draft) : undefined);
  if (skip !== undefined) return { skip };
  prepareOwners(draft);
  prepareFinalizers(draft);
  prepareMetadata(draft);
  for (const step of BY_RESOURCE[context.resource] ?? []) step(draft);
  prepareImages(draft);
  prepareHosts(draft);
  prepareNamespaceReferences(draft);
  if (parseResourceName(context.resource).group.endsWith('argoproj.io')) noteArgo(draft);
  const { notes, fallbacks, owners, finalizers, given, finished } = draft;
  return { object: draft.object, notes, fallbacks, owners, finalizers, given, finished };
}

const BY_RESOURCE: Readonly<Record<ResourceName, readonly ((draft: Draft) => void)[]>> = {
  namespaces: [prepareNamespace],
  services: [prepareService],
  serviceaccounts: [prepareAccount],
  persistentvolumeclaims: [prepareClaim],
  persistentvolumes: [prepareVolume],
  pods: [preparePod],
  'deployments.apps': [prepareWorkload],
  'statefulsets.apps': [prepareWorkload, prepareStatefulSet],
  'daemonsets.apps': [prepareWorkload],
  'cronjobs.batch': [prepareWorkload],
  'jobs.batch': [prepareWorkload, prepareJob],
  'horizontalpodautoscalers.autoscaling': [prepareAutoscaler],
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': [prepareWebhooks],
  'validatingwebhookconfigurations.admissionregistration.k8s.io': [prepareWebhooks],
  'customresourcedefinitions.apiextensions.k8s.io': [prepareDefinition],
  'apiservices.apiregistration.k8s.io': [prepareApiService],
  'buildconfigs.build.openshift.io': [prepareBuildConfig],
  'deploymentconfigs.apps.openshift.io': [prepareWorkload, prepareDeploymentConfig],
  'imagestreams.image.openshift.io': [prepareImageStream],
  'securitycontextconstraints.security.openshift.io': [prepareConstraints],
};

/** It acts on clusters and namespaces of its own accord. */
function noteArgo(draft: Draft): void {
  if (draft.context.resource.startsWith('applications.')) {
    draft.notes.push('Argo CD begins to synchronise it at once');
  }
}
