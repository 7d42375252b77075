import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RawSettings } from '../../controller/config.ts';
import { readArchiveConfig, readSettings } from '../../controller/config-file.ts';
import { KeeperError } from '../../controller/errors.ts';
import { temporaryDirectory } from '../flows/keeper.ts';

let place: Awaited<ReturnType<typeof temporaryDirectory>>;
before(async () => {
  place = await temporaryDirectory();
});
after(() => place[Symbol.asyncDispose]());

async function file(text: string): Promise<string> {
  const path = join(place.path, `${Math.random().toString(36).slice(2)}.yaml`);
  await writeFile(path, text);
  return path;
}

const read = async (text: string, given: RawSettings = {}) => readArchiveConfig({ config: await file(text), ...given });

const RECIPIENT = 'age1abc';
const WHOLE = `
includedNamespaces: [shop, "team-*"]
excludedNamespaces: [team-test]
includedResources: [deployments.apps, secrets]
excludedResources: [events]
labelSelector:
  matchLabels: { app: web }
  matchExpressions: [{ key: tier, operator: NotIn, values: [test, ci] }]
includeOwned: true
rulesFile: rules.yaml
window: 2s
maxWindow: 1m30s
secrets: { policy: encrypt, ageRecipients: [${RECIPIENT}] }
remote:
  url: https://git.example/ops/{cluster}-{namespace}.git
  credentialsSecretRef: { namespace: kubekeeper-system, name: git }
  caFile: ca.pem
  forge: gitea
  clusterName: blue
data: { minimumInterval: 10m, retention: { keepDaily: 7 } }
`;

test('every field of the file is the setting of its flag', async () => {
  const config = await read(WHOLE);
  assert.deepEqual(config.scope, {
    namespaces: ['shop', 'team-*'],
    excludeNamespaces: ['team-test'],
    resources: ['deployments.apps', 'secrets'],
    excludeResources: ['events'],
    selector: 'app=web,tier notin (test,ci)',
  });
  assert.deepEqual(config.window, { silenceMs: 2000, maximumMs: 90_000 });
  assert.deepEqual([config.includeOwned, config.rulesFile], [true, 'rules.yaml']);
  assert.deepEqual([config.secrets, config.ageRecipients], ['encrypt', [RECIPIENT]]);
  const { template: _, ...remote } = config.remote ?? assert.fail('no remote');
  assert.deepEqual(remote, {
    secret: { namespace: 'kubekeeper-system', name: 'git' },
    caFile: 'ca.pem',
    forge: 'gitea',
    clusterName: 'blue',
  });
  assert.equal(config.data?.cadence.minimumIntervalMs, 600_000);
  assert.equal(config.data?.retention.keep.Daily, 7);
});

test('a flag or variable that is given wins, field by field', async () => {
  const config = await read(WHOLE, {
    ...{ namespaces: ['office'], window: '1s', secrets: 'omit', ageRecipient: [], forge: 'none' },
    ...{ selector: '', clusterName: 'green' },
  });
  assert.deepEqual(config.scope.namespaces, ['office']);
  assert.deepEqual(config.scope.excludeNamespaces, ['team-test']);
  // A variable that is set to nothing is not given.
  assert.equal(config.scope.selector, 'app=web,tier notin (test,ci)');
  assert.deepEqual(config.window, { silenceMs: 1000, maximumMs: 90_000 });
  assert.deepEqual([config.secrets, config.ageRecipients], ['omit', []]);
  assert.deepEqual([config.remote?.forge, config.remote?.clusterName], ['none', 'green']);
});

test('credentials that are given stand for those that the file names, wherever they lie', async () => {
  const { remote } = await read(WHOLE, { remoteCredentials: './token' });
  assert.deepEqual([remote?.credentials, remote?.secret], ['./token', undefined]);
});

test('a file without data touches no volume, and an empty data is a whole policy', async () => {
  assert.equal((await read('includedNamespaces: [shop]\n')).data, undefined);
  assert.equal((await read('')).data, undefined);
  assert.equal((await readArchiveConfig({})).data, undefined);
  const { data } = await read('data: {}\n');
  assert.deepEqual(data?.cadence, { minimumIntervalMs: 900_000, maximumIntervalMs: undefined });
});

test('what the file does not say has the default of its flag', async () => {
  assert.deepEqual(await read('window: 5s\n'), await readArchiveConfig({}));
});

async function refusalOf(given: RawSettings): Promise<KeeperError> {
  const error = await readSettings(given).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof KeeperError, String(error));
  return error;
}

test('a file that is not there or cannot be read is refused in one line', async () => {
  const missing = await refusalOf({ config: join(place.path, 'none.yaml') });
  assert.deepEqual([missing.code, missing.kind], ['CONFIG_INVALID', 'invalid-input']);
  assert.match(missing.message, /^Cannot use the configuration ".*none\.yaml": there is no such file; nothing was/);
  assert.match((await refusalOf({ config: place.path })).message, /it cannot be read; nothing was changed/);
});

test('faults are told with line and column', async () => {
  const config = await file('window: soon\ndata:\n  retention: { keepDayly: 7 }\n');
  const { message } = await refusalOf({ config });
  assert.match(message, /\.yaml:1:1: window is not a time/);
  assert.match(message, /\.yaml:3:16: key "keepDayly" is not known here; nearest: "keepDaily"/);
});
