import type { JsonObject } from '../../../controller/core/object.ts';

/** A pod's spec with nearly all that the API knows; nothing runs it. */
export const richPodSpec: JsonObject = {
  serviceAccountName: 'runner',
  terminationGracePeriodSeconds: 45,
  hostname: 'rich',
  subdomain: 'headless',
  shareProcessNamespace: true,
  enableServiceLinks: false,
  nodeSelector: { 'example.com/disk': 'ssd' },
  hostAliases: [{ ip: '192.0.2.1', hostnames: ['one.example.com', 'two.example.com'] }],
  dnsPolicy: 'None',
  dnsConfig: { nameservers: ['192.0.2.53'], searches: ['example.com'], options: [{ name: 'ndots', value: '2' }] },
  readinessGates: [{ conditionType: 'example.com/in-load-balancer' }],
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'archive', effect: 'NoSchedule' }],
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 1000,
    fsGroup: 2000,
    fsGroupChangePolicy: 'OnRootMismatch',
    supplementalGroups: [3000],
    seccompProfile: { type: 'RuntimeDefault' },
    sysctls: [{ name: 'net.ipv4.ip_local_port_range', value: '20000 60000' }],
  },
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }] }],
      },
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 50,
          podAffinityTerm: {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { app: 'web' } },
            namespaceSelector: {},
          },
        },
      ],
    },
  },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { app: 'web' } },
      nodeTaintsPolicy: 'Honor',
    },
  ],
  initContainers: [
    { name: 'migrate', image: 'registry.example.com/migrate:7', command: ['migrate'], args: ['--to', '7'] },
    { name: 'proxy', image: 'registry.example.com/proxy:2', restartPolicy: 'Always' },
  ],
  containers: [richContainer()],
  volumes: [
    { name: 'scratch', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
    {
      name: 'configuration',
      configMap: { name: 'awkward-keys', items: [{ key: '9', path: 'nine' }], defaultMode: 288, optional: true },
    },
    {
      name: 'all',
      projected: {
        sources: [
          { secret: { name: 'login', items: [{ key: 'password', path: 'password', mode: 256 }] } },
          { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 7200 } },
          { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
      },
    },
    { name: 'host', hostPath: { path: '/var/log', type: 'Directory' } },
    { name: 'inline', csi: { driver: 'inline.example.com', readOnly: true, volumeAttributes: { share: 'x' } } },
    { name: 'nfs', nfs: { server: 'nfs.example.com', path: '/export' } },
  ],
};

function richContainer(): JsonObject {
  return {
    name: 'main',
    image: 'registry.example.com/web@sha256:0000000000000000000000000000000000000000000000000000000000000000',
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/web'],
    args: ['--listen=$(ADDRESS)', ''],
    workingDir: '/srv',
    env: [
      { name: 'ADDRESS', value: ':8080' },
      { name: 'EMPTY' },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
      { name: 'NINE', valueFrom: { configMapKeyRef: { name: 'awkward-keys', key: '9', optional: true } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
    ],
    envFrom: [{ prefix: 'CFG_', configMapRef: { name: 'awkward-keys', optional: true } }],
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
    ],
    resources: {
      requests: { cpu: '100m', memory: '64Mi', 'example.com/gpu': '1' },
      limits: { cpu: '1500m', memory: '128Mi', 'example.com/gpu': '1' },
    },
    resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
    startupProbe: { grpc: { port: 9090, service: 'ready' }, failureThreshold: 30 },
    livenessProbe: {
      httpGet: { path: '/live', port: 'http', scheme: 'HTTPS', httpHeaders: [{ name: 'X-Probe', value: 'yes' }] },
      initialDelaySeconds: 5,
    },
    readinessProbe: { exec: { command: ['true'] }, periodSeconds: 3 },
    lifecycle: { postStart: { tcpSocket: { port: 8080 } }, preStop: { sleep: { seconds: 5 } } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
    },
    volumeMounts: [
      { name: 'scratch', mountPath: '/tmp' },
      { name: 'configuration', mountPath: '/etc/app', readOnly: true },
      { name: 'host', mountPath: '/logs', subPathExpr: '$(POD)', mountPropagation: 'HostToContainer' },
    ],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    stdin: true,
    tty: true,
  };
}
