import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { type Gitea, startGitea } from '../forge/gitea.ts';
import { GiteaPulls } from '../forge/gitea-pulls.ts';
import { type Archiver, eventually, git, keeper, type LogLine, startArchiver, temporaryDirectory } from './keeper.ts';

/**
 * Restoring by pull request as a user does it: a real API server, a real Gitea, the running archiver, and the command line. What was merged
 * is applied, and the archive goes on as if nothing had happened.
 */

let cluster: Cluster;
let gitea: Gitea;
let token: string;

before(async () => {
  [cluster, gitea] = await Promise.all([startCluster(), startGitea()]);
  const [ann] = [await gitea.createUser('ann'), await gitea.createUser('bob')];
  await gitea.createOrganization('ops', ['ann', 'bob']);
  token = await ann.createToken('write:repository', 'write:issue', 'write:organization', 'read:user');
  await cluster.kubectl([
    'create',
    'clusterrolebinding',
    'restorer',
    '--clusterrole',
    'cluster-admin',
    '--user',
    'restorer',
  ]);
});

after(async () => {
  await gitea?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

async function put(namespace: string, name: string, value: string): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { value } });
}

async function liveValue(namespace: string, name: string): Promise<string | undefined> {
  const { status, text } = await cluster.request('GET', `/api/v1/namespaces/${namespace}/configmaps/${name}`);
  return status === 200 ? (JSON.parse(text) as { data: { value: string } }).data.value : undefined;
}

/** Puts one, and waits until that is at the remote; answers the commit. */
async function archived(archiver: Archiver, namespace: string, name: string, value: string): Promise<string> {
  const from = archiver.lines.length;
  await put(namespace, name, value);
  const isIt = (line: LogLine) => line.event === 'committed' && String(line['subject']).includes(`configmaps/${name}`);
  const { id } = await archiver.waitFor('the commit', isIt, { from });
  const isPushed = (line: LogLine) => line.event === 'pushed' && line['id'] === id;
  await archiver.waitFor('the push', isPushed, { from });
  return String(id);
}

for (const how of ['merge', 'squash'] as const) {
  test(`a restore that was proposed, approved and merged by ${how} is applied once, told, and archived without a stall`, async () => {
    const namespace = `shop-${how}`;
    await cluster.kubectl(['create', 'namespace', namespace]);
    await put(namespace, 'other', '1');
    await using directory = await temporaryDirectory();
    const data = join(directory.path, 'data');
    const remote = remoteFlags(directory.path);
    const flags = ['--kubeconfig', cluster.kubeconfig, '--data-dir', data, ...remote];
    await using archiver = startArchiver(cluster.kubeconfig, data, '--namespaces', namespace, ...remote);
    await archiver.waitFor('the first push', (line) => line.event === 'pushed' && line['repository'] === namespace);
    const point = await archived(archiver, namespace, 'app', 'good');
    const broken = await archived(archiver, namespace, 'app', 'broken');

    const proposed = await keeper([
      'propose',
      namespace,
      '--to',
      point,
      '--object',
      'configmaps/app',
      '-o',
      'json',
      ...flags,
    ]);
    assert.equal(proposed.code, 0, proposed.stderr);
    const { proposed: pull } = JSON.parse(proposed.stdout) as {
      proposed: { number: number; url: string; branch: string; commit: string };
    };
    assert.equal((await git(data, namespace, 'rev-parse', 'main')).trim(), broken, 'our main stays');
    const again = await keeper(['propose', namespace, '--to', point, '--object', 'configmaps/app', ...flags]);
    assert.match(again.stdout, new RegExp(`proposed already: ${pull.url}`));
    const people = new GiteaPulls(gitea, { owner: 'ops', name: `prod-${namespace}` });
    await people.untilSeen(pull.branch, pull.commit);
    await people.review(pull.number, 'bob', 'approved');
    const none = await keeper(['apply-merged', ...flags]);
    assert.equal(none.stdout, '', none.stderr);
    // The archive goes on between the proposal and the merge, and is seen to have met the branch.
    await archived(archiver, namespace, 'other', '2');
    const merged = await people.merge(pull.number, 'bob', how, { removeBranch: true });

    const applied = await keeper(['apply-merged', '--require-approval', ...flags]);
    assert.equal(applied.code, 0, applied.stdout + applied.stderr + archiver.output().slice(-2000));
    assert.match(applied.stdout, /^applied {2}https:\S+ {2}restored 1 object, equal\n$/);
    assert.deepEqual([await liveValue(namespace, 'app'), await liveValue(namespace, 'other')], ['good', '2']);
    const { comments } = await people.look(pull.number);
    assert.equal(comments.length, 1);
    assert.match(comments[0] ?? '', /^\*\*Applied\*\*: restored 1 object, equal\n\nWhat lived before is kept as pre/);
    const nothing = await keeper(['apply-merged', '--require-approval', ...flags]);
    assert.equal(nothing.stdout, '', nothing.stderr);

    await put(namespace, 'other', '3');
    const show = (path: string) => git(data, namespace, 'show', `main:configmaps/${path}.json`);
    const main = await eventually('the archive to go on at the remote', async () => {
      const { body } = await gitea.ask('GET', `/repos/ops/prod-${namespace}/git/refs/heads/main`);
      const theirs = (body as readonly { object: { sha: string } }[])[0]?.object.sha;
      const ours = (await git(data, namespace, 'rev-parse', 'main')).trim();
      return ours === theirs && (await show('other')).includes('"value": "3"') ? ours : undefined;
    });
    assert.deepEqual(
      archiver.lines.filter(({ event }) => event === 'stalled'),
      [],
    );
    await git(data, namespace, 'merge-base', '--is-ancestor', merged, main);
    assert.match(await show('app'), /"value": "good"/);
    for (const said of [proposed, again, applied]) assert.doesNotMatch(said.stdout + said.stderr, new RegExp(token));
    assert.doesNotMatch(archiver.output(), new RegExp(token));
  });
}

const RIGHTS = { restorer: 'applied', nobody: 'refused' } as const;

for (const [user, result] of Object.entries(RIGHTS)) {
  test(`the running archiver applies what was merged with the rights that it was given: those of ${user}, so it is ${result}`, async () => {
    const namespace = `shop-as-${user}`;
    await cluster.kubectl(['create', 'namespace', namespace]);
    await using directory = await temporaryDirectory();
    const data = join(directory.path, 'data');
    const remote = remoteFlags(directory.path);
    const flags = ['--kubeconfig', cluster.kubeconfig, '--data-dir', data, ...remote];
    const merging = ['--apply-merged', '--apply-as', user, '--apply-every', '500ms'];
    await using archiver = startArchiver(cluster.kubeconfig, data, '--namespaces', namespace, ...remote, ...merging);
    await archiver.waitFor('the first push', (line) => line.event === 'pushed' && line['repository'] === namespace);
    const good = await archived(archiver, namespace, 'app', 'good');
    await archived(archiver, namespace, 'app', 'broken');
    const proposed = await keeper(['propose', namespace, '--to', good, '-o', 'json', ...flags]);
    assert.equal(proposed.code, 0, proposed.stderr);
    const { number } = (JSON.parse(proposed.stdout) as { proposed: { number: number } }).proposed;
    const people = new GiteaPulls(gitea, { owner: 'ops', name: `prod-${namespace}` });
    await people.merge(number, 'bob', 'merge');
    const merged = await archiver.waitFor('what became of it', (line) => line.event === 'merged');
    assert.equal(merged['result'], result, String(merged['message']));
    assert.equal(await liveValue(namespace, 'app'), result === 'applied' ? 'good' : 'broken');
    const { comments } = await people.look(number);
    assert.match(
      comments.join(),
      result === 'applied' ? /^\*\*Applied\*\*: restored 1 object, equal/ : /^\*\*Not applied\*\*/,
    );
    // Again and again it is looked at, and told once.
    await put(namespace, 'other', '1');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.equal(archiver.lines.filter(({ event }) => event === 'merged').length, 1);
    assert.equal((await people.look(number)).comments.length, 1);
    assert.equal(await archiver.stop(), 0);
  });
}

function remoteFlags(directory: string): readonly string[] {
  writeFileSync(join(directory, 'token'), `${token}\n`, { mode: 0o600 });
  writeFileSync(join(directory, 'ca.pem'), gitea.authority);
  return [
    ...['--remote', `${gitea.origin}/ops/{cluster}-{namespace}.git`, '--cluster-name', 'prod'],
    ...['--remote-credentials', join(directory, 'token'), '--remote-ca', join(directory, 'ca.pem')],
  ];
}

/** Archived once for each of these states; a proposal back to the one before the last is merged. */
async function mergedProposal(namespace: string, states: readonly (() => Promise<unknown>)[], directory: string) {
  await cluster.kubectl(['create', 'namespace', namespace]);
  const data = join(directory, 'data');
  const flags = ['--kubeconfig', cluster.kubeconfig, '--data-dir', data, ...remoteFlags(directory)];
  for (const make of states) {
    await make();
    const { code, stderr } = await keeper(['archive', '--once', '--namespaces', namespace, ...flags]);
    assert.equal(code, 0, stderr);
  }
  const proposed = await keeper(['propose', namespace, '--to', 'HEAD~1', '-o', 'json', ...flags]);
  assert.equal(proposed.code, 0, proposed.stderr);
  const { number } = (JSON.parse(proposed.stdout) as { proposed: { number: number } }).proposed;
  const people = new GiteaPulls(gitea, { owner: 'ops', name: `prod-${namespace}` });
  await people.merge(number, 'bob', 'merge');
  return { data, flags, number, people };
}

test('what lives moved after the proposal: the merge is refused on the pull request, and nothing is applied', async () => {
  const namespace = 'shop-moved';
  await using directory = await temporaryDirectory();
  const states = ['good', 'broken'].map((value) => () => put(namespace, 'app', value));
  const { flags, number, people } = await mergedProposal(namespace, states, directory.path);
  await put(namespace, 'app', 'mended by hand');
  const applied = await keeper(['apply-merged', '-o', 'json', ...flags]);
  assert.equal(applied.code, 3, applied.stderr);
  const { outcomes } = JSON.parse(applied.stdout) as { outcomes: readonly { result: string; words: string }[] };
  assert.deepEqual(
    outcomes.map(({ result }) => result),
    ['refused'],
  );
  assert.match(outcomes[0]?.words ?? '', /the live state of configmaps\/app.json moved after it was proposed/);
  assert.equal(await liveValue(namespace, 'app'), 'mended by hand');
  const { comments } = await people.look(number);
  assert.match(comments.join(), /^\*\*Not applied\*\*: the live state of/);
});

test('killed in the middle of applying: the next run ends it, and tells it once', async (context) => {
  const namespace = 'shop-killed';
  await using directory = await temporaryDirectory();
  const names = Array.from({ length: 150 }, (_, at) => `app-${at}`);
  const states = ['good', 'broken'].map((value) => () => Promise.all(names.map((name) => put(namespace, name, value))));
  const { data, flags, number, people } = await mergedProposal(namespace, states, directory.path);
  const entry = join(import.meta.dirname, '../../bin/kubekeeper.js');
  const child = spawn(process.execPath, [entry, 'apply-merged', ...flags], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  while (child.exitCode === null && !hasEnded(data)) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill('SIGKILL');
  await exited;
  const values = () => Promise.all(names.map((name) => liveValue(namespace, name)));
  const good = (await values()).filter((value) => value === 'good').length;
  context.diagnostic(`${good} of ${names.length} were restored when it was killed`);
  assert.ok(good < names.length, 'it was too fast to be killed');
  const applied = await keeper(['apply-merged', ...flags]);
  assert.equal(applied.code, 0, applied.stdout + applied.stderr);
  assert.match(applied.stdout, /^applied .*restored \d+ objects, equal\n$/);
  assert.deepEqual(new Set(await values()), new Set(['good']));
  assert.equal((await people.look(number)).comments.length, 1);
  assert.equal((await keeper(['apply-merged', ...flags])).stdout, '');
});

/** Does a journal tell of a first step that is done? */
function hasEnded(data: string): boolean {
  const files = globSync(join(data, 'restores', '*', 'journal.jsonl'));
  return files.some((file) => readFileSync(file, 'utf8').includes('"ended"'));
}
