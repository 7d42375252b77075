import { annotationRules, neverRules } from './build-rules.ts';
import type { Rule } from './rule.ts';

/** Well-known additions to a cluster: what they stamp on objects and what they keep as state. */
export const ecosystemRules: readonly Rule[] = [
  ...annotationRules(
    {
      'argocd-tracking': 'argocd.argoproj.io/tracking-id',
      'argocd-installation': 'argocd.argoproj.io/installation-id',
      'argocd-refresh': 'argocd.argoproj.io/refresh',
      'argocd-hydrate': 'argocd.argoproj.io/hydrate',
    },
    { verdict: 'strip', reason: "Argo CD's own stamp; a foreign tracking-id breaks another Application" },
  ),
  ...annotationRules(
    {
      'argocd-sync-wave': 'argocd.argoproj.io/sync-wave',
      'argocd-hook': 'argocd.argoproj.io/hook*',
      'argocd-options': 'argocd.argoproj.io/*-options',
    },
    { verdict: 'keep', reason: 'Tells Argo CD how to apply it' },
  ),
  ...annotationRules(
    {
      'flux-checksum': 'kustomize.toolkit.fluxcd.io/checksum',
      'flux-reconcile': 'kustomize.toolkit.fluxcd.io/reconcile*',
      'flux-requested-at': 'reconcile.fluxcd.io/requestedAt',
    },
    { verdict: 'strip', reason: 'Stamp of a reconciliation' },
  ),
  ...['annotations', 'labels'].flatMap((map) =>
    Object.entries({
      'flux-kustomization-name': 'kustomize.toolkit.fluxcd.io~1name',
      'flux-kustomization-namespace': 'kustomize.toolkit.fluxcd.io~1namespace',
      'flux-helm': 'helm.toolkit.fluxcd.io~1*',
      applyset: 'applyset.kubernetes.io~1*',
      kro: 'kro.run~1*',
      kcp: 'kcp.io~1cluster',
      helm: 'meta.helm.sh~1*',
      olm: 'olm.*',
      operators: 'operators.coreos.com~1*',
    }).map(
      ([id, key]): Rule => ({
        id: `${id}-owner-${map === 'labels' ? 'label' : 'annotation'}`,
        resources: ['*'],
        pointer: `/metadata/${map}/${key}`,
        verdict: 'restore-only',
        reason: 'Says which engine makes it again; dropped when restored without that engine',
      }),
    ),
  ),
  ...annotationRules(
    {
      'rancher-endpoints': 'field.cattle.io/publicEndpoints',
      'rancher-timestamp': 'cattle.io/timestamp',
      'rancher-applied': 'objectset.rio.cattle.io/applied',
      'gke-neg-status': 'cloud.google.com/neg-status',
      'gke-autopilot': 'autopilot.gke.io/resource-adjustment',
      'gce-backends': 'ingress.kubernetes.io/backends',
      'gce-forwarding-rule': 'ingress.kubernetes.io/forwarding-rule',
      'gce-target-proxy': 'ingress.kubernetes.io/target-proxy',
      'gce-url-map': 'ingress.kubernetes.io/url-map',
      'gce-https-forwarding-rule': 'ingress.kubernetes.io/https-forwarding-rule',
      'gce-https-target-proxy': 'ingress.kubernetes.io/https-target-proxy',
      'gce-ssl-cert': 'ingress.kubernetes.io/ssl-cert',
    },
    { verdict: 'strip', reason: 'Status in an annotation' },
  ),
  ...annotationRules(
    { 'istio-sidecar': 'sidecar.istio.io/*' },
    { verdict: 'keep', reason: 'Set by who wrote the manifest' },
  ),
  {
    id: 'argocd-operation',
    resources: ['applications.argoproj.io'],
    pointer: '/operation',
    verdict: 'strip',
    reason: 'A sync that is under way',
  },
  {
    id: 'olm-copies',
    resources: ['clusterserviceversions.operators.coreos.com'],
    pointer: '',
    verdict: 'never',
    reason: 'A copy in every namespace of an operator that is installed elsewhere',
    when: { labels: ['olm.copiedFrom'] },
  },
  {
    id: 'olm-provided-apis',
    resources: ['operatorgroups.operators.coreos.com'],
    pointer: '/metadata/annotations/olm.providedAPIs',
    verdict: 'strip',
    reason: 'Computed from the installed operators',
  },
  {
    id: 'subscription',
    resources: ['subscriptions.operators.coreos.com'],
    pointer: '/spec',
    verdict: 'keep',
    reason: 'Which operator is wanted',
  },
  {
    id: 'certificates',
    resources: ['certificates.cert-manager.io', 'issuers.cert-manager.io', 'clusterissuers.cert-manager.io'],
    pointer: '/spec',
    verdict: 'keep',
    reason: 'Which certificate is wanted',
  },
  ...stateRules(),
];

function stateRules(): readonly Rule[] {
  const requests = neverRules(
    {
      'never-certificate-orders': [
        'certificaterequests.cert-manager.io',
        'orders.acme.cert-manager.io',
        'challenges.acme.cert-manager.io',
      ],
      'never-argo-runs': [
        'workflows.argoproj.io',
        'workflowtaskresults.argoproj.io',
        'workflowtasksets.argoproj.io',
        'analysisruns.argoproj.io',
        'experiments.argoproj.io',
      ],
      'never-tekton-runs': ['taskruns.tekton.dev', 'pipelineruns.tekton.dev', 'customruns.tekton.dev'],
      'never-velero-runs': [
        'backups.velero.io',
        'restores.velero.io',
        'podvolumebackups.velero.io',
        'podvolumerestores.velero.io',
        'datauploads.velero.io',
        'datadownloads.velero.io',
        'backuprepositories.velero.io',
        'deletebackuprequests.velero.io',
        'downloadrequests.velero.io',
        'serverstatusrequests.velero.io',
      ],
      'never-olm-runs': ['installplans.operators.coreos.com'],
    },
    'One run or request; it would run again',
  );
  const reports = neverRules(
    {
      'never-policy-reports': [
        'policyreports.wgpolicyk8s.io',
        'clusterpolicyreports.wgpolicyk8s.io',
        '*.openreports.io',
      ],
      'never-kyverno-reports': [
        '*.reports.kyverno.io',
        'admissionreports.kyverno.io',
        'clusteradmissionreports.kyverno.io',
        'backgroundscanreports.kyverno.io',
        'clusterbackgroundscanreports.kyverno.io',
        'updaterequests.kyverno.io',
      ],
      'never-trivy-reports': ['*reports.aquasecurity.github.io'],
      'never-cilium-state': [
        'ciliumendpoints.cilium.io',
        'ciliumendpointslices.cilium.io',
        'ciliumidentities.cilium.io',
        'ciliumnodes.cilium.io',
      ],
      'never-calico-state': [
        'ipam*.crd.projectcalico.org',
        'ipam*.projectcalico.org',
        'blockaffinities.crd.projectcalico.org',
        'blockaffinities.projectcalico.org',
      ],
      'never-node-claims': ['nodeclaims.karpenter.sh'],
      'never-longhorn-state': ['engines.longhorn.io', 'replicas.longhorn.io', 'instancemanagers.longhorn.io'],
      'never-autoscaler-checkpoints': ['verticalpodautoscalercheckpoints.autoscaling.k8s.io'],
      'never-olm-state': ['operatorconditions.operators.coreos.com', 'packagemanifests.packages.operators.coreos.com'],
    },
    'State or a report that its controller writes again',
  );
  return [...requests, ...reports];
}
