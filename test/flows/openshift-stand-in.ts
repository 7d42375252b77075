import type { Cluster } from '../cluster/start-cluster.ts';
import { eventually } from './keeper.ts';

/** OpenShift's own resources as custom ones that keep every field: its API shapes without its controllers. */

interface Served {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope?: 'Cluster';
}

const SERVED: readonly Served[] = [
  { group: 'apps.openshift.io', kind: 'DeploymentConfig', plural: 'deploymentconfigs' },
  { group: 'route.openshift.io', kind: 'Route', plural: 'routes' },
  { group: 'image.openshift.io', kind: 'ImageStream', plural: 'imagestreams' },
  { group: 'build.openshift.io', kind: 'BuildConfig', plural: 'buildconfigs' },
  { group: 'build.openshift.io', kind: 'Build', plural: 'builds' },
  { group: 'template.openshift.io', kind: 'Template', plural: 'templates' },
  {
    group: 'security.openshift.io',
    kind: 'SecurityContextConstraints',
    plural: 'securitycontextconstraints',
    scope: 'Cluster',
  },
];

export async function serveOpenShift(cluster: Cluster): Promise<void> {
  for (const served of SERVED)
    await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(definitionOf(served)) });
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  await eventually('all of them to be served', async () => {
    const list = await cluster.kubectl(['api-resources', '-o', 'name']);
    return SERVED.every(({ group, plural }) => list.includes(`${plural}.${group}`));
  });
}

function definitionOf({ group, kind, plural, scope }: Served): object {
  const names = { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names,
      scope: scope ?? 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
