import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseJson } from '../../../controller/core/json.ts';
import { isJsonObject, type Json, type ResourceName, resourceName } from '../../../controller/core/object.ts';
import { type Cluster, startCluster } from '../../cluster/start-cluster.ts';
import { applyFixture, fixturePath } from './apply-fixture.ts';
import { builtInFixtures } from './built-in-fixtures.ts';

const WITHOUT_FIXTURE: Readonly<Record<ResourceName, string>> = {
  componentstatuses: 'computed when it is read; nothing can be created',
};

let cluster: Cluster;
let served: readonly ResourceName[];

before(async () => {
  cluster = await startCluster();
  // Before the fixtures bring resources of their own.
  served = await listableResources();
});
after(async () => cluster[Symbol.asyncDispose]());

test('every resource that Kubernetes lists by default has a fixture', () => {
  const covered = new Set(builtInFixtures.map((fixture) => fixture.resource));
  const missing = served.filter((name) => !covered.has(name) && !Object.hasOwn(WITHOUT_FIXTURE, name));
  assert.deepEqual(missing, []);
  assert.ok(served.length >= 55, `only ${served.length} resources were discovered`);
  for (const name of Object.keys(WITHOUT_FIXTURE)) assert.ok(served.includes(name), `${name} is no longer served`);
});

test('every fixture can be created and is read back with all that it says', async () => {
  const lost: string[] = [];
  for (const fixture of builtInFixtures) {
    await applyFixture(cluster, fixture);
    const answer = await cluster.request('GET', fixturePath(fixture));
    assert.equal(answer.status, 200, fixturePath(fixture));
    const wanted = parseJson(JSON.stringify(fixture.object));
    const label = `${fixture.resource}/${fixture.object.metadata.name.slice(0, 60)}`;
    lost.push(...findLost(wanted, parseJson(answer.text), label));
  }
  assert.deepEqual(lost, []);
});

async function listableResources(): Promise<readonly ResourceName[]> {
  const { groups } = (await read('/apis')) as { groups: { name: string; versions: { groupVersion: string }[] }[] };
  const versions = groups.flatMap((group) =>
    group.versions.map((version) => ({ group: group.name, path: `/apis/${version.groupVersion}` })),
  );
  const names = new Set<ResourceName>();
  for (const { group, path } of [{ group: '', path: '/api/v1' }, ...versions]) {
    const { resources } = (await read(path)) as { resources: { name: string; verbs: string[] }[] };
    for (const { name, verbs } of resources) {
      if (verbs.includes('list')) names.add(resourceName({ group, plural: name }));
    }
  }
  return [...names];
}

async function read(path: string): Promise<unknown> {
  const answer = await cluster.request('GET', path);
  assert.equal(answer.status, 200, path);
  return JSON.parse(answer.text);
}

/** Places of `wanted` that `live` says otherwise; it may say more. */
function findLost(wanted: Json, live: Json | undefined, path: string): string[] {
  if (Array.isArray(wanted) && Array.isArray(live)) {
    return wanted.flatMap((value, index) => findLost(value, live[index], `${path}/${index}`));
  }
  if (isJsonObject(wanted) && isJsonObject(live)) {
    return Object.entries(wanted).flatMap(([key, value]) =>
      findLost(value, Object.hasOwn(live, key) ? live[key] : undefined, `${path}/${key}`),
    );
  }
  return isSame(wanted, live) ? [] : [`${path}: ${JSON.stringify(wanted)} became ${JSON.stringify(live)}`];
}

function isSame(wanted: Json, live: Json | undefined): boolean {
  const [wantedText, liveText] = [JSON.stringify(wanted), JSON.stringify(live)];
  if (wantedText === liveText) return true;
  // The API server leaves out what is as good as absent; `{}` is not.
  if (live === undefined || live === null) return wanted === '' || wanted === false || wantedText === '[]';
  // It spells 1e3 and 1.0 its own way; whole numbers it must not touch.
  return !/^-?\d+$/.test(wantedText) && Number(wantedText) === Number(liveText);
}
