import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, type Ended, file, git, keeper, temporaryDirectory } from './keeper.ts';

/** What a person reads of a history: changes, diff, show, tags; on what a real cluster did, also from a bare clone. */

const NAMES = ['app', 'big'];
let cluster: Cluster;
let directory: AsyncDisposable & { readonly path: string };
/** Commits, oldest first. */
const commits: string[] = [];

before(async () => {
  cluster = await startCluster({ controllerManager: false });
  directory = await temporaryDirectory();
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  for (const name of NAMES) await put(name, { conf: 'a\nb\nc\n', value: '1' });
  await put('gone', { value: 'for ever' });
  await deploy();
  await step();
  await cluster.kubectl(['set', 'image', '-n', 'shop', 'deployment/web', 'web=shop/web:1.5']);
  await step();
  await git(directory.path, 'shop', 'tag', 'good/plain', 'main');
  await put('app', { conf: 'a\nB\nc\n', value: '1' });
  await put('new', { value: '1' });
  await step();
  await cluster.request('DELETE', '/api/v1/namespaces/shop/configmaps/gone');
  await step();
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

async function put(name: string, data: Record<string, string>): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data }, 'painter');
}

async function deploy(): Promise<void> {
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'shop/web:1.4' }] } };
  await cluster.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  });
}

async function step(): Promise<void> {
  const { report } = await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop');
  commits.push(report.commits.find(({ repository }) => repository === 'shop')?.id as string);
}

function at(index: number): string {
  return commits[index]?.slice(0, 10) as string;
}

function read(verb: string, ...args: readonly string[]): Promise<Ended> {
  return keeper([verb, 'shop', ...args, '--data-dir', directory.path]);
}

function lines({ stdout }: Ended): readonly string[] {
  return stdout.split('\n').filter((line) => line !== '');
}

test('changes say when, who, which object and what, newest first, and what to type next', async () => {
  const ended = await read('changes');
  assert.equal(ended.code, 0, ended.stderr);
  const told = lines(ended).map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}/, ''));
  assert.deepEqual(told.slice(0, 4), [
    `${at(3)}  unknown  configmaps/gone: deleted`,
    `${at(2)}  painter (manager)  configmaps/app: conf changed`,
    `${at(2)}  painter (manager)  configmaps/new: created`,
    `${at(1)}  kubectl-set (manager)  deployments.apps/web: image 1.4 -> 1.5  [good/plain]`,
  ]);
  assert.ok(told.slice(4).every((line) => line.startsWith(at(0))));
  assert.equal(
    ended.stderr.trim(),
    `put it back: kubekeeper plan shop --to ${at(2)} --object configmaps/gone --data-dir ${directory.path}`,
  );
});

test("changes are narrowed by object in any of kubectl's spellings, by time, by commit and by number", async () => {
  for (const spelling of ['deployments.apps/web', 'deploy/web', 'Deployment/web', 'deployments/w*', 'deploy']) {
    const found = lines(await read('changes', '--object', spelling));
    assert.deepEqual(
      found.map((line) => line.split('  ')[1]),
      [at(1), at(0)],
      spelling,
    );
  }
  assert.deepEqual(
    lines(await read('changes', '--object', 'cm/gone')).map((line) => line.split('  ')[1]),
    [at(3), at(0)],
  );
  assert.equal(lines(await read('changes', '--since', 'good/plain')).length, 3);
  assert.equal(lines(await read('changes', '--since', at(0), '--until', 'good/plain')).length, 1);
  assert.equal(lines(await read('changes', '--limit', '2')).length, 2);
  assert.ok(lines(await read('changes', '--since', '1h')).length > 4);
  const none = await read('changes', '--until', '2001-01-01T00:00:00Z');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /the history begins at/);
});

test('changes as JSON are one document with everything', async () => {
  const ended = await read('changes', '--since', at(0), '-o', 'json');
  assert.equal(ended.stderr, '');
  const document = JSON.parse(ended.stdout);
  assert.deepEqual([document.version, document.repository, document.changes.length], [1, 'shop', 4]);
  const change = document.changes[3];
  assert.deepEqual(change.fields, [
    {
      pointer: '/spec/template/spec/containers/[web]/image',
      words: 'spec.template.spec.containers[web].image shop/web:1.4 -> shop/web:1.5',
    },
  ]);
  assert.deepEqual(
    [change.commit, change.parent, change.object, change.namespace, change.what, change.actors, change.tags],
    [
      commits[1],
      commits[0],
      'deployments.apps/web',
      'shop',
      'changed',
      [{ name: 'kubectl-set', grade: 'manager' }],
      ['good/plain'],
    ],
  );
  const empty = await read('changes', '--since', 'HEAD', '-o', 'json');
  assert.deepEqual(JSON.parse(empty.stdout).changes, []);
});

test('what is gone is found with the commit that has it last', async () => {
  const ended = await read('changes', '--deleted');
  assert.equal(lines(ended).length, 1);
  assert.match(ended.stdout, new RegExp(`${at(3)}  unknown  configmaps/gone: deleted, last in ${at(2)}`));
  const [gone] = JSON.parse((await read('changes', '--deleted', '-o', 'json')).stdout).deleted;
  assert.deepEqual([gone.object, gone.deletedIn, gone.lastIn], ['configmaps/gone', commits[3], commits[2]]);
});

test("a diff tells fields, objects that came and went, and equals Git's own where it is asked for", async () => {
  const ended = await read('diff', 'good/plain');
  assert.deepEqual(lines(ended), [
    '~ configmaps/app',
    '    ~ data.conf:',
    '         a',
    '    -   -b',
    '    +   +B',
    '         c',
    '- configmaps/gone',
    '+ configmaps/new',
  ]);
  assert.match(ended.stderr, new RegExp(`^put it back: kubekeeper plan shop --to ${at(1)} --object configmaps/app`));
  const raw = await read('diff', at(0), 'HEAD', '--raw');
  const own = await git(
    directory.path,
    'shop',
    'diff',
    '--abbrev=10',
    '--no-renames',
    commits[0] as string,
    'main',
    '--',
    'configmaps',
    'deployments.apps',
  );
  // Git names the function after a hunk's range; for JSON that is noise.
  assert.equal(raw.stdout, own.replace(/^(@@ .*? @@).*$/gm, '$1'));
  const document = JSON.parse((await read('diff', at(0), at(1), '-o', 'json')).stdout);
  assert.deepEqual([document.from.commit, document.to.tags], [commits[0], ['good/plain']]);
  assert.deepEqual(document.objects[0].fields[0], {
    pointer: '/spec/template/spec/containers/[web]/image',
    change: 'changed',
    before: 'shop/web:1.4',
    after: 'shop/web:1.5',
    isSecret: false,
  });
  const same = await read('diff', 'HEAD', 'HEAD');
  assert.deepEqual([same.code, same.stdout, same.stderr.trim()], [0, '', 'nothing differs']);
});

test('a diff with live shows what the archive has not seen yet', async () => {
  await put('app', { conf: 'a\nB\nc\n', value: 'live' });
  try {
    const ended = await read('diff', 'HEAD', 'live', '--kubeconfig', cluster.kubeconfig);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(lines(ended), ['~ configmaps/app', '    ~ data.value: 1 -> live']);
    const raw = await read('diff', 'HEAD', 'live', '--raw', '--kubeconfig', cluster.kubeconfig);
    assert.match(raw.stdout, /^- {4}"value": "1"\n\+ {4}"value": "live"$/m);
  } finally {
    await put('app', { conf: 'a\nB\nc\n', value: '1' });
  }
});

test('an object is shown as YAML that kubectl takes, or as the very bytes in Git; one that is gone by its last version', async () => {
  const yaml = await read('show', 'good/plain:deploy/web');
  assert.match(yaml.stdout, /^ +- image: shop\/web:1\.5$/m);
  await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: yaml.stdout });
  const json = await read('show', 'configmaps/app', '-o', 'json');
  assert.deepEqual([json.stdout, json.stderr], [await file(directory.path, 'shop', 'configmaps/app.json'), '']);
  const old = await read('show', `${at(0)}:cm/app`);
  assert.match(old.stdout, /^ {2}conf: \|\n {4}a\n {4}b\n/m);
  const gone = await read('show', 'cm/gone');
  assert.match(gone.stdout, /value: "for ever"/);
  assert.match(
    gone.stderr,
    new RegExp(`^configmaps/gone was deleted in ${at(3)} at .*; this is its last version, in ${at(2)} of `),
  );
  assert.match(
    gone.stderr,
    new RegExp(`^put it back: kubekeeper plan shop --to ${at(2)} --object configmaps/gone`, 'm'),
  );
});

test('all of it works on a bare clone, with no controller', async () => {
  await using elsewhere = await temporaryDirectory();
  const clone = join(elsewhere.path, 'copy.git');
  execFileSync('git', ['clone', '--quiet', '--bare', join(directory.path, 'shop.git'), clone]);
  const from = (verb: string, ...args: readonly string[]) => keeper([verb, 'shop', ...args, '--from', clone]);
  assert.equal((await from('changes')).stdout, (await read('changes')).stdout);
  assert.equal((await from('changes', '--deleted')).stdout, (await read('changes', '--deleted')).stdout);
  assert.equal((await from('diff', 'good/plain')).stdout, (await read('diff', 'good/plain')).stdout);
  assert.equal((await from('show', 'cm/gone')).stdout, (await read('show', 'cm/gone')).stdout);
  const tags = await from('tags');
  assert.equal(tags.stdout, (await read('tags')).stdout);
  assert.match(tags.stderr, new RegExp(`--from ${clone}$`, 'm'));
  const other = await keeper(['changes', 'office', '--from', clone]);
  assert.deepEqual([other.code, /is the archive of "shop", not of "office"/.test(other.stderr)], [2, true]);
});

test('wrong input is told in one line that says what to do, and exits with 2', async () => {
  for (const [args, pattern] of [
    [['changes', 'shpo'], /There is no repository "shpo".*the nearest are shop/],
    [['changes', 'shop', '--since', 'someday'], /Cannot find "someday".*the nearest tags are good\/plain/],
    [['changes', 'shop', '--object', 'deploymnets/web'], /did you mean "deployments/],
    [['changes', 'shop', '--limit', 'many'], /--limit takes a number/],
    [['diff', 'shop', 'good/friday'], /the nearest tags are good\/plain/],
    [['diff', 'shop', 'HEAD', 'HEAD~99'], /Cannot find "HEAD~99"/],
    [['show', 'shop', 'web'], /names no object; write RESOURCE\/NAME/],
    [['show', 'shop', 'cm/apq'], /There is no cm\/apq.*the nearest are configmaps\/app/],
    [['show', 'shop', 'cm/*'], /fits \d objects, name one: configmaps\/app/],
    [['tags', 'nothing'], /There is no repository "nothing"/],
  ] as const) {
    const ended = await keeper([...args, '--data-dir', directory.path]);
    assert.deepEqual([ended.code, ended.stdout], [2, ''], `${args.join(' ')}: ${ended.stderr}`);
    assert.match(ended.stderr, pattern);
    assert.equal(ended.stderr.trim().split('\n').length, 1, ended.stderr);
  }
});

test('a damaged or foreign repository is refused in words, and reading one changes nothing', async () => {
  await using elsewhere = await temporaryDirectory();
  const copy = join(elsewhere.path, 'shop.git');
  cpSync(join(directory.path, 'shop.git'), copy, { recursive: true });
  execFileSync('git', [
    '-C',
    copy,
    'update-ref',
    'refs/heads/main',
    execFileSync(
      'git',
      [
        '-C',
        copy,
        'commit-tree',
        '-m',
        'x',
        execFileSync('git', ['-C', copy, 'mktree'], { input: '' }).toString().trim(),
      ],
      {
        env: {
          ...process.env,
          GIT_AUTHOR_NAME: 'x',
          GIT_AUTHOR_EMAIL: 'x',
          GIT_COMMITTER_NAME: 'x',
          GIT_COMMITTER_EMAIL: 'x',
        },
      },
    )
      .toString()
      .trim(),
  ]);
  const ended = await keeper(['changes', 'shop', '--from', copy]);
  assert.equal(ended.code, 2);
  assert.match(ended.stderr, /has no \.kubekeeper\/archive\.json/);
});
