import { base64Text, configurationText, type Draw, word } from './text.ts';

/** The kinds that the generated namespaces hold, in about the shares of a cluster that runs services. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Of a hundred objects. */
  readonly share: number;
  /** The object's body beside its metadata; about `room` characters are still to be filled. */
  body(name: string, draw: Draw): Record<string, unknown>;
  /** Where an object of this kind grows in real life; without it an annotation does. */
  fill?(body: Record<string, unknown>, draw: Draw, room: number): void;
}

const RBAC = 'rbac.authorization.k8s.io';

export const KINDS: readonly Kind[] = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    plural: 'configmaps',
    share: 24,
    body: (name) => ({ data: { name, revision: '0' } }),
    fill: (body, draw, room) => {
      (body['data'] as Record<string, string>)['application.properties'] = configurationText(draw, room);
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    plural: 'secrets',
    share: 14,
    body: (_name, draw) => ({ type: 'Opaque', data: { password: base64Text(draw, 24), token: base64Text(draw, 64) } }),
    fill: (body, draw, room) => {
      (body['data'] as Record<string, string>)['keystore'] = base64Text(draw, room);
    },
  },
  { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', share: 12, body: deploymentBody, fill: fillEnv },
  {
    apiVersion: 'v1',
    kind: 'Service',
    plural: 'services',
    share: 12,
    body: (name) => ({
      spec: {
        selector: { app: name },
        ports: [
          { name: 'http', port: 80, targetPort: 'http' },
          { name: 'metrics', port: 9090, targetPort: 'metrics' },
        ],
      },
    }),
  },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    share: 8,
    body: () => ({ imagePullSecrets: [{ name: 'registry' }], automountServiceAccountToken: false }),
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    plural: 'roles',
    share: 6,
    body: (_name, draw) => ({
      rules: [
        { apiGroups: [''], resources: ['configmaps', 'secrets'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: ['apps'], resources: ['deployments'], resourceNames: [word(draw)], verbs: ['get', 'patch'] },
      ],
    }),
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    plural: 'rolebindings',
    share: 6,
    body: (name, draw) => ({
      roleRef: { apiGroup: RBAC, kind: 'Role', name },
      subjects: [
        { kind: 'ServiceAccount', name: word(draw) },
        { kind: 'Group', apiGroup: RBAC, name: word(draw) },
      ],
    }),
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    share: 5,
    body: (name, draw) => ({
      spec: {
        podSelector: { matchLabels: { app: name } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [{ podSelector: { matchLabels: { app: word(draw) } } }], ports: [{ port: 8080 }] }],
        egress: [{}],
      },
    }),
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    share: 3,
    body: (name) => ({ spec: { minAvailable: 1, selector: { matchLabels: { app: name } } } }),
  },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    plural: 'cronjobs',
    share: 4,
    body: (_name, draw) => ({
      spec: {
        schedule: `${draw(60)} ${draw(24)} * * *`,
        suspend: true,
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [container('job', draw)] } } } },
      },
    }),
    fill: fillEnv,
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    share: 3,
    body: (_name, draw) => ({
      spec: {
        storageClassName: 'fast',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: `${1 + draw(100)}Gi` } },
      },
    }),
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    plural: 'ingresses',
    share: 3,
    body: (name) => ({
      spec: {
        ingressClassName: 'public',
        tls: [{ hosts: [`${name}.example.com`], secretName: `${name}-tls` }],
        rules: [
          {
            host: `${name}.example.com`,
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { name: 'http' } } } }],
            },
          },
        ],
      },
    }),
  },
];

function deploymentBody(name: string, draw: Draw): Record<string, unknown> {
  const labels = { app: name, tier: word(draw) };
  const containers = [container('main', draw), container('sidecar', draw)];
  const volumes = [{ name: 'configuration', configMap: { name } }];
  const template = { metadata: { labels }, spec: { serviceAccountName: 'default', containers, volumes } };
  // No replicas: the figures are about objects that people write, not about pods.
  return { spec: { replicas: 0, selector: { matchLabels: { app: name } }, template } };
}

function container(name: string, draw: Draw): Record<string, unknown> {
  return {
    name,
    image: `registry.example.com/${word(draw)}/${word(draw)}:1.${draw(30)}.${draw(10)}`,
    env: [{ name: 'LOG_LEVEL', value: 'info' }],
    ports: [{ name: name === 'main' ? 'http' : `${name}-port`, containerPort: name === 'main' ? 8080 : 9090 }],
    resources: { requests: { cpu: `${50 + draw(500)}m`, memory: `${64 + draw(512)}Mi` } },
  };
}

/** Workloads grow by environment variables. */
function fillEnv(body: Record<string, unknown>, draw: Draw, room: number): void {
  const spec = body['spec'] as { template?: PodTemplate; jobTemplate?: { spec: { template: PodTemplate } } };
  const [first] = (spec.template ?? spec.jobTemplate?.spec.template)?.spec.containers ?? [];
  for (let left = room, count = 0; left > 0; count++) {
    const value = configurationText(draw, Math.min(left, 40)).trimEnd();
    const name = `${word(draw).toUpperCase()}_${count}`;
    first?.env.push({ name, value });
    left -= JSON.stringify({ name, value }).length + 1;
  }
}

interface PodTemplate {
  readonly spec: { readonly containers: readonly { readonly env: { name: string; value: string }[] }[] };
}
