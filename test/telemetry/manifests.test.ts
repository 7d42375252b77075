import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { parseArchiveConfig } from '../../controller/config.ts';

/** config/controller and the process agree on address, probes and the time to stop. */

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [
    {
      readonly env: readonly { readonly name: string; readonly value: string }[];
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
      readonly startupProbe: Probe;
      readonly livenessProbe: Probe;
      readonly readinessProbe: Probe;
    },
  ];
}

async function readPod(): Promise<PodSpec> {
  const documents = parseAllDocuments(await readFile('config/controller/deployment.yaml', 'utf8'));
  const found = documents.map((one) => one.toJS() as { kind: string; spec: { template: { spec: PodSpec } } });
  return (found.find(({ kind }) => kind === 'Deployment') as (typeof found)[number]).spec.template.spec;
}

test('the probes ask where the process listens', async () => {
  const [container] = (await readPod()).containers;
  const listen = container.env.find(({ name }) => name === 'KUBEKEEPER_LISTEN')?.value;
  const { port } = parseArchiveConfig(listen === undefined ? {} : { listen }).listen ?? {};
  assert.deepEqual(container.ports, [{ name: 'metrics', containerPort: port }]);
  const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
  assert.deepEqual(
    probes.map(({ httpGet }) => httpGet),
    ['/livez', '/livez', '/readyz'].map((path) => ({ path, port: 'metrics' })),
  );
});

test('Kubernetes waits longer for the end than the process takes at most', async () => {
  assert.ok((await readPod()).terminationGracePeriodSeconds > 25);
});

test('the service and the policy are for the port of the metrics', async () => {
  const [service, policy] = parseAllDocuments(await readFile('config/controller/metrics.yaml', 'utf8')).map((one) =>
    one.toJS(),
  );
  assert.equal(service.spec.ports[0].targetPort, 'metrics');
  assert.equal(policy.spec.ingress[0].ports[0].port, 'metrics');
  const monitor = parse(await readFile('config/alerts/monitor.yaml', 'utf8')) as {
    spec: { selector: { matchLabels: object }; endpoints: readonly { port: string }[] };
  };
  assert.deepEqual(monitor.spec.selector.matchLabels, service.metadata.labels);
  assert.equal(monitor.spec.endpoints[0]?.port, service.spec.ports[0].name);
});
