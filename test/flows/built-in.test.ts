import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { manifestPath } from '../../controller/core/manifest.ts';
import { repositoryOf } from '../../controller/core/object.ts';
import { BUILT_IN_RULES } from '../../controller/core/rules/built-in.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { decryptText } from '../secrets/sops.ts';
import { applyFixture, fixturePath } from './built-in/apply-fixture.ts';
import { builtInFixtures } from './built-in/built-in-fixtures.ts';
import type { Fixture } from './built-in/fixture.ts';
import { archiveOnce, eventually, file, paths, temporaryDirectory } from './keeper.ts';

/** Every resource that Kubernetes stores: created, archived, deleted, applied again from its file, and the same byte for byte. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());

/** A rule of the user's for each built-in one that leaves objects out: what is never archived by default can be all the same. */
async function writeKeepAll(directory: string): Promise<string> {
  const path = join(directory, 'keep-all.json');
  const never = BUILT_IN_RULES.filter((rule) => rule.verdict === 'never');
  await writeFile(path, JSON.stringify({ rules: never.map(({ id }) => ({ id, verdict: 'keep' })) }));
  return path;
}

function placeOf(fixture: Fixture): { repository: string; path: string } {
  const namespace = fixture.namespace === undefined ? {} : { namespace: fixture.namespace };
  const ref = { resource: fixture.resource, name: fixture.object.metadata.name, ...namespace };
  return { repository: repositoryOf(ref), path: manifestPath(ref) };
}

const label = (fixture: Fixture) => `${fixture.resource}/${fixture.object.metadata.name.slice(0, 60)}`;

/** What stands for a whole: a namespace that holds other fixtures stays, all else goes. */
const deletable = builtInFixtures.filter(
  (fixture) =>
    fixture.resource !== 'namespaces' || !builtInFixtures.some((one) => one.namespace === fixture.object.metadata.name),
);

async function deleteFixture(fixture: Fixture): Promise<void> {
  const path = fixturePath(fixture);
  const answer = await cluster.request('DELETE', path, { gracePeriodSeconds: 0, propagationPolicy: 'Background' });
  assert.ok([200, 202, 404, 409].includes(answer.status), `${path}: ${answer.text}`);
}

async function waitGone(fixture: Fixture): Promise<void> {
  await eventually(
    `${label(fixture)} to be gone`,
    async () => {
      const answer = await cluster.request('GET', fixturePath(fixture));
      if (answer.status === 404) return true;
      // A finalizer of the fixture's own has nobody who would take it away.
      const none = [{ op: 'remove', path: '/metadata/finalizers' }];
      if (answer.text.includes('"deletionTimestamp"')) {
        await cluster.request('PATCH', fixturePath(fixture), none, 'application/json-patch+json');
      } else await deleteFixture(fixture);
      return false;
    },
    60_000,
  );
}

/** The real kubectl, on the file as it lies in Git. */
async function kubectlApply(texts: readonly string[]): Promise<void> {
  if (texts.length === 0) return;
  const input = texts.join('\n');
  await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '--validate=strict', '-f', '-'], { input });
}

test('every built-in resource is archived, and its file applied after deletion gives the same file again', async () => {
  await using directory = await temporaryDirectory();
  for (const fixture of builtInFixtures) await applyFixture(cluster, fixture);
  const identity = await generateX25519Identity();
  const options = [
    ...['--rules', await writeKeepAll(directory.path), '--include-owned'],
    ...['--secrets', 'encrypt', '--age-recipient', await identityToRecipient(identity)],
  ];
  const data = join(directory.path, 'data');
  const first = await archiveOnce(cluster.kubeconfig, data, ...options);
  // One fixture is an APIService whose server is absent on purpose.
  assert.deepEqual(
    first.report.skipped.map((gap) => gap.resource),
    ['*.absent.example.com'],
  );
  assert.equal(first.code, 3);

  const archived = new Map<Fixture, string>();
  for (const fixture of builtInFixtures) {
    const { repository, path } = placeOf(fixture);
    const text = await file(data, repository, path);
    assert.equal((JSON.parse(text) as { kind: string }).kind, fixture.object.kind, label(fixture));
    archived.set(fixture, text);
  }

  for (const fixture of [...deletable].reverse()) await deleteFixture(fixture);
  for (const fixture of deletable) await waitGone(fixture);
  await restore(archived, directory.path, identity);

  await archiveOnce(cluster.kubeconfig, data, ...options);
  const differing: string[] = [];
  for (const [fixture, before] of archived) {
    const { repository, path } = placeOf(fixture);
    const now = await file(data, repository, path).catch(() => 'gone');
    if (now !== before) differing.push(`${label(fixture)}:\n${before}\n  became\n${now}`);
  }
  assert.deepEqual(differing, []);
});

/** Definitions first, and what needs them after they are established. */
async function restore(archived: ReadonlyMap<Fixture, string>, directory: string, identity: string): Promise<void> {
  const early = (fixture: Fixture) => /^(namespaces|customresourcedefinitions)/.test(fixture.resource);
  const texts = new Map<Fixture, string>();
  for (const [fixture, text] of archived) {
    texts.set(fixture, text.includes('"sops": {') ? await decryptText(directory, text, identity) : text);
  }
  const textOf = (fixture: Fixture) => texts.get(fixture) ?? '';
  await kubectlApply(deletable.filter(early).map(textOf));
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  await kubectlApply(deletable.filter((fixture) => !early(fixture)).map(textOf));
}

test('what is left out by default is left out with a reason, and everything else has its file', async () => {
  await using directory = await temporaryDirectory();
  for (const fixture of builtInFixtures) await applyFixture(cluster, fixture);
  const { report } = await archiveOnce(cluster.kubeconfig, directory.path);
  const leftOut = new Set(report.resources.filter((one) => one.leftOut.length > 0).map((one) => one.resource));
  const never = new Set(BUILT_IN_RULES.filter((rule) => rule.verdict === 'never').flatMap((rule) => rule.resources));
  const files = new Map<string, ReadonlySet<string>>();
  const absent: string[] = [];
  for (const fixture of builtInFixtures) {
    const { repository, path } = placeOf(fixture);
    if (!files.has(repository)) files.set(repository, new Set(await paths(directory.path, repository)));
    if (files.get(repository)?.has(path) === true) continue;
    const explained = leftOut.has(fixture.resource) || never.has(fixture.resource);
    if (!explained) absent.push(label(fixture));
  }
  assert.deepEqual(absent, []);
});
