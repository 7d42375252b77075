import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeObject, parseResourceName } from '../../../controller/core/object.ts';
import type { Cluster } from '../../cluster/start-cluster.ts';
import type { Fixture } from './fixture.ts';

const ESTABLISHED_MS = 20_000;

/** The address of a fixture's object. */
export function fixturePath(fixture: Fixture): string {
  const { apiVersion, metadata } = fixture.object;
  const space = fixture.namespace === undefined ? '' : `/namespaces/${fixture.namespace}`;
  const { plural } = parseResourceName(fixture.resource);
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}${space}/${plural}/${encodeURIComponent(metadata.name)}`;
}

/**
 * Server-side apply of an object (the fixture's own unless another is given), unknown fields refused. Waits for the definition of
 * a custom resource to be established. Throws with what the server said.
 */
export async function applyFixture(
  cluster: Pick<Cluster, 'request'>,
  fixture: Fixture,
  object: KubeObject | string = fixture.object,
): Promise<void> {
  const path = fixturePath(fixture);
  const query = 'fieldManager=fixtures&force=true&fieldValidation=Strict';
  const deadline = Date.now() + ESTABLISHED_MS;
  for (;;) {
    const answer = await cluster.request('PATCH', `${path}?${query}`, object, 'application/apply-patch+yaml');
    if (answer.status < 300) return;
    // Nothing but a resource that is not served yet answers 404 to an apply.
    if (answer.status !== 404 || Date.now() > deadline) {
      throw new Error(`apply ${path.slice(0, 200)}: ${answer.status} ${answer.text}`);
    }
    await sleep(100);
  }
}
