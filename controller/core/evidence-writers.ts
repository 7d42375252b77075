import { compileGlobs } from './glob.ts';

/** Who is behind a field manager's name, as far as its name tells. The API server takes any name a client gives. */

/** person: a person's tool · applier: a deployment tool on a person's behalf · program: a controller · unknown: not told. */
export type WriterRole = 'person' | 'applier' | 'program' | 'unknown';

/** The first row that matches decides. */
const ROLES: readonly (readonly [WriterRole, readonly string[]])[] = [
  [
    'person',
    [
      'kubectl*',
      'oc',
      'oc-*',
      'k9s',
      // Lens and its forks speak through Node's fetch.
      'node-fetch',
      'lens*',
      'freelens*',
      // The OpenShift console passes the browser's name on.
      'Mozilla',
      'bridge',
      'dashboard*',
      'kubernetes-dashboard*',
      'headlamp*',
      'rancher',
      'agent',
    ],
  ],
  [
    'applier',
    [
      'helm',
      'helm-controller',
      'kustomize-controller',
      'argocd-controller',
      'argocd-application-controller',
      'configsync*',
      'fleet*',
      'kapp*',
      'Terraform',
      'HashiCorp',
      'terraform*',
      'tofu*',
      'pulumi*',
      'ansible*',
      'skaffold*',
      'kubekeeper*',
      // What kubectl calls everything that was there before server-side apply came.
      'before-first-apply',
    ],
  ],
  [
    'program',
    [
      'kube-*',
      'kubelet',
      'cloud-controller-manager',
      '*-controller-manager',
      '*-controller',
      '*-controllers',
      '*controller',
      '*-operator',
      '*operator',
      '*-cainjector',
      '*-webhook',
      '*autoscaler*',
      'vpa-*',
      'keda*',
      'cert-manager*',
      'openshift-*',
      'cluster-version-operator',
      'olm',
      'catalog',
      'istio*',
      'pilot-discovery',
      // What controller-runtime's programs are called unless told otherwise.
      'manager',
    ],
  ],
];

const TESTS = ROLES.map(([role, globs]) => ({ role, test: compileGlobs(globs) }));

export interface Writer {
  readonly manager: string;
  /** 'Apply' or 'Update'. */
  readonly operation: string;
  readonly subresource?: string;
  /** RFC 3339, in whole seconds. */
  readonly time?: string;
}

/** Is it a name that people's tools give: kubectl, oc, Lens, the consoles, k9s? */
export function isPersonManager(manager: string): boolean {
  return roleOf({ manager, operation: 'Update' }) === 'person';
}

/** An unknown name that applies is somebody's deployment; one that updates may be anything. */
export function roleOf(writer: Writer): WriterRole {
  for (const { role, test } of TESTS) if (test(writer.manager)) return role;
  return writer.operation === 'Apply' ? 'applier' : 'unknown';
}

/** Does the writer stand for what somebody asked for? */
export function isAsked(writer: Writer): boolean {
  const role = roleOf(writer);
  return role === 'person' || role === 'applier';
}
