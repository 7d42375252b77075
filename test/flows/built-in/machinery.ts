import { signingRequest } from './certificates.ts';
import { type Fixture, inCluster, inNamespace, NAMESPACE } from './fixture.ts';

const flowControl = 'flowcontrol.apiserver.k8s.io';

/** What the cluster runs on and what it notes while running. */
export const machineryFixtures: readonly Fixture[] = [
  inCluster('priorityclasses.scheduling.k8s.io', {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'fixture-urgent' },
    value: 1_000_000,
    globalDefault: false,
    preemptionPolicy: 'Never',
    description: 'Waits for nobody, but pushes nobody out.',
  }),
  inCluster('priorityclasses.scheduling.k8s.io', {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'fixture-last' },
    value: -2_147_483_648,
  }),
  inCluster('runtimeclasses.node.k8s.io', {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'fixture-sandboxed' },
    handler: 'runsc',
    overhead: { podFixed: { cpu: '50m', memory: '32Mi' } },
    scheduling: {
      nodeSelector: { sandbox: 'yes' },
      tolerations: [{ key: 'sandbox', operator: 'Exists', effect: 'NoSchedule' }],
    },
  }),
  inCluster('nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'fixture-node', labels: { 'node.example.com/rack': 'r7' } },
    spec: {
      podCIDR: '10.9.0.0/24',
      podCIDRs: ['10.9.0.0/24'],
      providerID: 'example://r7/fixture-node',
      unschedulable: true,
      taints: [{ key: 'dedicated', value: 'archive', effect: 'NoSchedule' }],
    },
  }),
  inNamespace('leases.coordination.k8s.io', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'leader' },
    spec: {
      holderIdentity: 'replica-1',
      leaseDurationSeconds: 15,
      leaseTransitions: 3,
      acquireTime: '2026-01-02T03:04:05.000006Z',
      renewTime: '2026-01-02T03:04:06.000007Z',
    },
  }),
  inCluster('certificatesigningrequests.certificates.k8s.io', {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'fixture-request' },
    spec: {
      request: signingRequest,
      signerName: 'example.com/signer',
      expirationSeconds: 3600,
      usages: ['digital signature', 'client auth'],
    },
  }),
  ...eventFixtures(),
  ...flowFixtures(),
];

function eventFixtures(): readonly Fixture[] {
  return [
    inNamespace('events', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'web.17' },
      involvedObject: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: NAMESPACE,
        name: 'web',
        fieldPath: 'spec',
      },
      reason: 'Noticed',
      message: 'Somebody looked.',
      type: 'Warning',
      source: { component: 'people', host: 'desk' },
      count: 4,
      firstTimestamp: '2026-01-02T03:04:05Z',
      lastTimestamp: '2026-01-02T03:14:05Z',
    }),
    inNamespace('events.events.k8s.io', {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'web.18' },
      regarding: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: NAMESPACE, name: 'web' },
      related: { apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE, name: 'bare' },
      eventTime: '2026-01-02T03:04:05.000006Z',
      reportingController: 'example.com/people',
      reportingInstance: 'desk-1',
      action: 'Looking',
      reason: 'Noticed',
      type: 'Normal',
      note: 'Somebody looked again.',
      series: { count: 2, lastObservedTime: '2026-01-02T03:05:05.000006Z' },
    }),
  ];
}

function flowFixtures(): readonly Fixture[] {
  return [
    inCluster(`prioritylevelconfigurations.${flowControl}`, {
      apiVersion: `${flowControl}/v1`,
      kind: 'PriorityLevelConfiguration',
      metadata: { name: 'fixture-reports' },
      spec: {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: 5,
          lendablePercent: 50,
          borrowingLimitPercent: 0,
          limitResponse: { type: 'Queue', queuing: { queues: 16, handSize: 4, queueLengthLimit: 25 } },
        },
      },
    }),
    inCluster(`flowschemas.${flowControl}`, {
      apiVersion: `${flowControl}/v1`,
      kind: 'FlowSchema',
      metadata: { name: 'fixture-reports' },
      spec: {
        priorityLevelConfiguration: { name: 'fixture-reports' },
        matchingPrecedence: 800,
        distinguisherMethod: { type: 'ByNamespace' },
        rules: [
          {
            subjects: [
              { kind: 'ServiceAccount', serviceAccount: { namespace: NAMESPACE, name: 'runner' } },
              { kind: 'Group', group: { name: 'reporters' } },
            ],
            resourceRules: [
              { verbs: ['list'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true },
            ],
            nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }],
          },
        ],
      },
    }),
  ];
}
