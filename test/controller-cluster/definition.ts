import { setTimeout as sleep } from 'node:timers/promises';
import { parseResourceName, type Resource } from '../../controller/core/object.ts';

/** A CustomResourceDefinition of objects with any fields, by its name: 'numbers.exact.test'. */
export function definition(name: string, versions: readonly string[] = ['v1']) {
  const { group, plural } = parseResourceName(name);
  const singular = plural.replace(/s$/, '');
  const kind = `${singular[0]?.toUpperCase()}${singular.slice(1)}`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const resource: Resource = { group, version: 'v1', plural, kind, namespaced: true, verbs: ['get', 'list', 'watch'] };
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
  return {
    path,
    resource,
    object: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural, singular, kind, listKind: `${kind}List` },
        versions: versions.map((version, index) => ({ name: version, served: true, storage: index === 0, schema })),
      },
    },
    /** Waits until its objects can be made. */
    async established(cluster: { request(method: string, path: string): Promise<{ status: number }> }): Promise<void> {
      for (let tries = 0; tries < 200; tries++) {
        if ((await cluster.request('GET', `/apis/${group}/v1/${plural}`)).status === 200) return;
        await sleep(50);
      }
      throw new Error(`${name} is not served`);
    },
  };
}
