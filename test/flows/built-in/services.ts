import { type Fixture, inNamespace } from './fixture.ts';

/** Services of every type, and addresses made by hand. */
export const serviceFixtures: readonly Fixture[] = [
  inNamespace('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'headless' },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: { app: 'database' },
      ports: [{ name: 'postgres', port: 5432, targetPort: 'postgres' }],
    },
  }),
  inNamespace('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'headless-by-hand' },
    spec: { clusterIP: 'None', ports: [{ name: 'ldap', port: 389 }] },
  }),
  inNamespace('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'cluster-ip' },
    spec: {
      selector: { app: 'web' },
      internalTrafficPolicy: 'Local',
      trafficDistribution: 'PreferClose',
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
      externalIPs: ['203.0.113.7'],
      ports: [
        { name: 'http', port: 80, targetPort: 8080, appProtocol: 'kubernetes.io/h2c' },
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'signal', port: 2905, protocol: 'SCTP' },
      ],
    },
  }),
  inNamespace('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'node-port' },
    spec: {
      type: 'NodePort',
      selector: { app: 'web' },
      externalTrafficPolicy: 'Local',
      ports: [
        { name: 'asked-for', port: 80, nodePort: 30_080 },
        { name: 'given-out', port: 81 },
      ],
    },
  }),
  inNamespace('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'load-balancer', annotations: { 'service.kubernetes.io/load-balancer-note': 'internal' } },
    spec: {
      type: 'LoadBalancer',
      selector: { app: 'web' },
      loadBalancerClass: 'example.com/internal',
      loadBalancerSourceRanges: ['198.51.100.0/24', '192.0.2.0/24'],
      allocateLoadBalancerNodePorts: false,
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30_090,
      ports: [{ name: 'https', port: 443, targetPort: 'https' }],
    },
  }),
  inNamespace('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'external-name' },
    spec: { type: 'ExternalName', externalName: 'database.example.com' },
  }),
  inNamespace('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'without-selector' },
    spec: { ports: [{ name: 'mysql', port: 3306 }] },
  }),
  inNamespace('endpoints', {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'without-selector' },
    subsets: [
      {
        addresses: [{ ip: '192.0.2.20', hostname: 'replica' }, { ip: '192.0.2.21' }],
        notReadyAddresses: [{ ip: '192.0.2.22' }],
        ports: [{ name: 'mysql', port: 3306, protocol: 'TCP', appProtocol: 'mysql' }],
      },
    ],
  }),
  inNamespace('endpointslices.discovery.k8s.io', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'headless-by-hand-1',
      labels: {
        'kubernetes.io/service-name': 'headless-by-hand',
        'endpointslice.kubernetes.io/managed-by': 'people.example.com',
      },
    },
    addressType: 'IPv6',
    endpoints: [
      {
        addresses: ['2001:db8::7'],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: 'ldap-0',
        zone: 'zone-a',
        hints: { forZones: [{ name: 'zone-a' }] },
        targetRef: { kind: 'Pod', namespace: 'elsewhere', name: 'ldap-0' },
      },
      { addresses: ['2001:db8::8'], conditions: {} },
    ],
    ports: [{ name: 'ldap', port: 389, protocol: 'TCP' }],
  }),
];
