import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import type { HookSpec } from '../../controller/api/hooks.ts';
import { findProgram, missingForNode } from '../node/requirements.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';
import {
  holdAndKill,
  type OpenedQuiescer,
  openTestQuiescer,
  type QuiescerOptions,
  runHooked,
  shell,
  velero,
} from './hooks-world.ts';

const skip = await missingForNode();

let world: TestNode;
let directory: string;
before(async () => {
  if (skip !== false) return;
  directory = await mkdtemp(join(tmpdir(), 'kubekeeper-hooks-'));
  world = await startTestNode();
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
  if (directory !== undefined) await rm(directory, { recursive: true });
});

const signal = new AbortController().signal;

function open(options: Partial<QuiescerOptions> = {}): Promise<OpenedQuiescer> {
  return openTestQuiescer(at(options));
}

function at(options: Partial<QuiescerOptions>): QuiescerOptions {
  return { kubeconfig: world.cluster.kubeconfig, dataDirectory: directory, ...options };
}

/** What the hooks wrote, by word. */
async function logOf(namespace: string, pod: string): Promise<readonly string[]> {
  const text = await world.node.exec(namespace, pod, ['sh', '-c', 'cat /data/log 2>/dev/null || true']);
  return text.split('\n').filter((line) => line !== '');
}

async function exists(namespace: string, pod: string, path: string): Promise<boolean> {
  const script = `if [ -e ${path} ]; then echo yes; fi`;
  return (await world.node.exec(namespace, pod, ['sh', '-c', script])).trim() === 'yes';
}

const log = (word: string) => `echo ${word} >> /data/log`;
const exec = (script: string, more: object = {}) => ({ exec: { command: ['sh', '-c', script], ...more } });

async function holdAll(quiescer: OpenedQuiescer, namespace: string, claims: readonly string[]) {
  const hold = await quiescer.hold(namespace, { pods: await quiescer.podsOf(namespace), claims }, signal);
  assert.ok(hold !== undefined);
  return hold;
}

test('pre hooks run in all pods at once, post hooks after the release; then the claims are quiesced', {
  skip,
}, async () => {
  await world.createNamespace('order');
  const pods = ['a', 'b', 'c'];
  const annotations = velero({ 'pre.command': shell(`sleep 1; ${log('pre')}`), 'post.command': shell(log('post')) });
  await Promise.all(pods.map((pod) => runHooked(world, 'order', pod, annotations)));
  await using quiescer = await open();
  const started = performance.now();
  const hold = await holdAll(quiescer, 'order', pods);
  const took = performance.now() - started;
  assert.ok(took < 2500, `three times a second one after the other would be 3 s; it took ${took} ms`);
  for (const pod of pods) assert.deepEqual(await logOf('order', pod), ['pre']);
  assert.deepEqual(await hold.release(), { quiesced: true, problems: [] });
  for (const pod of pods) assert.deepEqual(await logOf('order', pod), ['pre', 'post']);
  assert.deepEqual(await hold.release(), { quiesced: true, problems: [] }, 'asked again it says the same');
  for (const pod of pods) assert.deepEqual(await logOf('order', pod), ['pre', 'post']);
});

test("a policy's hooks run in their order, a held one holds until the release, and then the post hooks run", {
  skip,
}, async () => {
  await world.createNamespace('policy');
  await runHooked(world, 'policy', 'db');
  const held = `${log('locked')}; echo held; cat; ${log('unlocked')}`;
  const hooks: readonly HookSpec[] = [
    { name: 'db', pre: [exec(log('1')), exec(log('2'))], held: [exec(held)], post: [exec(log('4')), exec(log('5'))] },
  ];
  await using quiescer = await open({ hooks });
  const hold = await holdAll(quiescer, 'policy', ['db']);
  assert.deepEqual(await logOf('policy', 'db'), ['1', '2', 'locked']);
  await sleep(500);
  assert.deepEqual(await logOf('policy', 'db'), ['1', '2', 'locked']);
  assert.deepEqual(await hold.release(), { quiesced: true, problems: [] });
  assert.deepEqual(await logOf('policy', 'db'), ['1', '2', 'locked', 'unlocked', '4', '5']);
});

test('without a hook for any pod there is no hold, and nobody is asked', { skip }, async () => {
  await using quiescer = await open();
  const pods = await quiescer.podsOf('policy');
  assert.equal(await quiescer.hold('policy', { pods, claims: ['db'] }, signal), undefined);
});

test('a pre hook that fails is told without its output, what comes after it does not run, and the post hook does', {
  skip,
}, async () => {
  await world.createNamespace('fails');
  await runHooked(world, 'fails', 'db');
  const hooks: readonly HookSpec[] = [
    { name: 'x', pre: [exec('echo s3cret; exit 3'), exec(log('never'))], post: [exec(log('post'))] },
  ];
  await using quiescer = await open({ hooks });
  const released = await (await holdAll(quiescer, 'fails', ['db'])).release();
  assert.deepEqual(released, { quiesced: false, problems: ['pod db: pre hook x ended with exit code 3'] });
  assert.deepEqual(await logOf('fails', 'db'), ['post']);
});

test('what may fail does not count, and is told all the same', { skip }, async () => {
  await world.createNamespace('may');
  await runHooked(world, 'may', 'db');
  const hooks: readonly HookSpec[] = [
    { name: 'x', pre: [exec('exit 1', { onError: 'Continue' }), exec(log('next'))], post: [exec(log('post'))] },
  ];
  await using quiescer = await open({ hooks });
  const released = await (await holdAll(quiescer, 'may', ['db'])).release();
  assert.deepEqual(released, {
    quiesced: true,
    problems: ['pod db: pre hook x ended with exit code 1 (does not count)'],
  });
  assert.deepEqual(await logOf('may', 'db'), ['next', 'post']);
});

test('no hook is waited for longer than it may take; the post hook runs then too', { skip }, async () => {
  await world.createNamespace('slow');
  await runHooked(world, 'slow', 'db');
  const pre = [exec('sleep 20', { timeout: '1s' })];
  await using quiescer = await open({ hooks: [{ name: 'x', pre, post: [exec(log('post'))] }] });
  const started = performance.now();
  const released = await (await holdAll(quiescer, 'slow', ['db'])).release();
  assert.ok(performance.now() - started < 3000);
  assert.deepEqual(released, { quiesced: false, problems: ['pod db: pre hook x did not end within 1 s'] });
  assert.deepEqual(await logOf('slow', 'db'), ['post']);
});

test('a held hook that ends before the release, fails, or never says that it holds is not quiesced', {
  skip,
}, async () => {
  await world.createNamespace('held');
  await runHooked(world, 'held', 'db');
  const rows: readonly (readonly [string, string])[] = [
    ['echo held; sleep 0.2', 'ended before the snapshots were cut'],
    ['echo held; sleep 0.2; exit 4', 'ended with exit code 4 before the snapshots were cut'],
    ['echo held; cat; exit 5', 'ended with exit code 5'],
    ['exit 6', 'ended with exit code 6 before it wrote a line'],
    [`cat; ${log('let-go')}`, 'did not write a line within 1 s'],
  ];
  for (const [script, problem] of rows) {
    await using quiescer = await open({ hooks: [{ name: 'x', held: [exec(script, { timeout: '1s' })] }] });
    const hold = await holdAll(quiescer, 'held', ['db']);
    await sleep(600);
    assert.deepEqual(await hold.release(), { quiesced: false, problems: [`pod db: held hook x ${problem}`] });
  }
  assert.deepEqual(await logOf('held', 'db'), ['let-go'], 'what was given up has its input ended');
});

test('a program that is not there is told by what it means', { skip }, async () => {
  await world.createNamespace('absent');
  await runHooked(world, 'absent', 'db');
  const step = [{ exec: { command: ['fsfreeze-of-mine'] } }];
  await using quiescer = await open({ hooks: [{ name: 'x', pre: step, post: step }] });
  const { quiesced, problems } = await (await holdAll(quiescer, 'absent', ['db'])).release();
  assert.equal(quiesced, false);
  assert.deepEqual(problems, [
    'pod db: pre hook x was not started: the container has no such program',
    // The shell that waited for us says it by its exit code.
    'pod db: post hook x ended with exit code 127',
  ]);
});

test('a hold that nobody releases ends by itself, and says so', { skip }, async () => {
  await world.createNamespace('longest');
  const annotations = velero({ 'pre.command': shell(log('pre')), 'post.command': shell(log('post')) });
  await runHooked(world, 'longest', 'db', annotations);
  await using quiescer = await open({ longestHoldMs: 500 });
  const hold = await holdAll(quiescer, 'longest', ['db']);
  await sleep(1500);
  assert.deepEqual(await logOf('longest', 'db'), ['pre', 'post']);
  assert.deepEqual(await hold.release(), {
    quiesced: false,
    problems: ['let go after 0.5 s, before all snapshots were cut'],
  });
});

test('what is stopped in the middle of a hook lets go before it ends', { skip }, async () => {
  await world.createNamespace('stopped');
  await runHooked(world, 'stopped', 'db');
  const hooks: readonly HookSpec[] = [{ name: 'x', pre: [exec(`${log('pre')}; sleep 20`)], post: [exec(log('post'))] }];
  await using quiescer = await open({ hooks });
  const stop = new AbortController();
  const pods = await quiescer.podsOf('stopped');
  const holding = quiescer.hold('stopped', { pods, claims: ['db'] }, stop.signal);
  setTimeout(() => stop.abort(new Error('stop')), 700);
  await assert.rejects(holding, /^Error: stop$/);
  assert.deepEqual(await logOf('stopped', 'db'), ['pre', 'post']);
});

test('a pod that goes away while it is held is told', { skip }, async () => {
  await world.createNamespace('goes');
  const annotations = velero({ 'pre.command': shell(log('pre')), 'post.command': shell(log('post')) });
  await runHooked(world, 'goes', 'db', annotations);
  await using quiescer = await open();
  const hold = await holdAll(quiescer, 'goes', ['db']);
  await world.remove('goes', 'pod/db');
  const { quiesced, problems } = await hold.release();
  assert.equal(quiesced, false);
  assert.match(problems.join('\n'), /pod db: post hook /);
});

test('where commands in pods are not permitted nothing is held and the note says what to grant', { skip }, async () => {
  const { kubeconfig, setRules } = await world.cluster.createUser('quiet', [
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
  ]);
  await using quiescer = await open({ kubeconfig });
  const refused = await (await holdAll(quiescer, 'order', ['a'])).release();
  assert.deepEqual(refused, {
    quiesced: false,
    problems: ['pod a: post hook was not run: commands in pods are not permitted (config/hooks)'],
  });
  const role = parseAllDocuments(await readFile('config/hooks/hooks.yaml', 'utf8'))[0]?.toJS() as { rules: object[] };
  await setRules([{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }, ...role.rules]);
  await sleep(500);
  assert.equal((await (await holdAll(quiescer, 'order', ['a'])).release()).quiesced, true);
});

test('an API server that cannot end the input alone is enough', { skip }, async () => {
  await world.createNamespace('older');
  await runHooked(world, 'older', 'db');
  const held = `echo held; cat; ${log('unlocked')}`;
  const hooks: readonly HookSpec[] = [
    { name: 'x', pre: [exec(log('pre'))], held: [exec(held)], post: [exec(`sleep 0.3; ${log('post')}`)] },
  ];
  await using quiescer = await open({ hooks, protocols: ['v4.channel.k8s.io'] });
  const hold = await holdAll(quiescer, 'older', ['db']);
  assert.deepEqual(await logOf('older', 'db'), ['pre']);
  assert.deepEqual(await hold.release(), { quiesced: true, problems: [] });
  assert.deepEqual(await logOf('older', 'db'), ['pre', 'unlocked', 'post']);
  assert.deepEqual(await readdir(directory), [], 'nothing was left to a next start');
});

test('a controller that is killed in a hold leaves nothing frozen: post hooks run and held sessions end within seconds', {
  skip,
}, async (t) => {
  await world.createNamespace('killed');
  const freeze = { 'pre.command': shell('touch /data/frozen'), 'post.command': shell('rm /data/frozen') };
  await runHooked(world, 'killed', 'annotated', velero(freeze));
  await runHooked(world, 'killed', 'locked');
  const held = [exec('touch /data/frozen; echo held; cat; rm /data/frozen')];
  const hooks: readonly HookSpec[] = [{ name: 'x', held }];
  const frozen = async () => {
    const all = await Promise.all(['annotated', 'locked'].map((pod) => exists('killed', pod, '/data/frozen')));
    return all.filter(Boolean).length;
  };
  await holdAndKill(at({ hooks }), 'killed', ['annotated', 'locked'], async () => assert.equal(await frozen(), 2));
  const killed = performance.now();
  while ((await frozen()) > 0) assert.ok(performance.now() - killed < 20_000, 'frozen for 20 s');
  const took = performance.now() - killed;
  t.diagnostic(`thawed ${Math.round(took)} ms after the kill`);
  assert.ok(took < 5000, `it took ${took} ms`);
});

test('when the API server dies in a hold the pods let go by themselves, and the release says that they may have', {
  skip,
}, async () => {
  await world.createNamespace('cut');
  const freeze = { 'pre.command': shell('touch /data/frozen'), 'post.command': shell('rm -f /data/frozen') };
  await runHooked(world, 'cut', 'annotated', velero(freeze));
  await runHooked(world, 'cut', 'locked');
  const inLocked = { matchExpressions: [{ key: 'app', operator: 'Exists' as const }] };
  await world.cluster.kubectl(['label', 'pod', 'locked', '-n', 'cut', 'app=x']);
  const held = [exec('touch /data/frozen; echo held; cat; rm /data/frozen')];
  await using quiescer = await open({ hooks: [{ name: 'x', labelSelector: inLocked, held }] });
  const hold = await holdAll(quiescer, 'cut', ['annotated', 'locked']);
  for (const pod of ['annotated', 'locked']) assert.equal(await exists('cut', pod, '/data/frozen'), true);
  await world.cluster.restartApiServer('SIGKILL');
  const started = performance.now();
  for (const pod of ['annotated', 'locked']) {
    while (await exists('cut', pod, '/data/frozen')) assert.ok(performance.now() - started < 20_000, 'frozen for 20 s');
  }
  const { quiesced, problems } = await hold.release();
  assert.equal(quiesced, false);
  assert.deepEqual([...problems].sort(), [
    'pod annotated: post hook may have run before the snapshots were cut',
    'pod locked: held hook x was cut off from us: the connection ended before the snapshots were cut',
  ]);
  assert.deepEqual(await logOf('cut', 'annotated'), []);
});

test('in a container without a shell the next start runs the post hooks of a hold whose controller was killed', {
  skip,
}, async () => {
  const root = join(directory, 'root');
  for (const folder of ['bin', 'data', 'proc', 'sys', 'dev', 'etc', 'tmp'])
    await mkdir(join(root, folder), { recursive: true });
  await copyFile((await findProgram('busybox')) ?? '', join(root, 'bin', 'busybox'));
  for (const name of ['touch', 'rm', 'sleep', 'test', 'awk']) await symlink('busybox', join(root, 'bin', name));
  const image = 'kubekeeper.dev/test/shell-less:1';
  await world.node.image(image, { root, command: ['sleep', '1000000'] });
  await rm(root, { recursive: true });
  await world.createNamespace('bare');
  await assert.rejects(
    runBare(image).then(() => world.node.exec('bare', 'db', ['sh', '-c', 'true'])),
    /not found/,
  );
  const exec = (...command: readonly string[]) => ({ exec: { command: [...command] } });
  const held = exec('awk', 'BEGIN { print "held"; fflush() } { lines++ }');
  const hooks: readonly HookSpec[] = [{ name: 'x', held: [held] }];
  const isFrozen = () =>
    world.node.exec('bare', 'db', ['test', '-e', '/data/frozen']).then(
      () => true,
      () => false,
    );
  const dataDirectory = join(directory, 'bare');

  await using quiescer = await open({ hooks, dataDirectory });
  const hold = await holdAll(quiescer, 'bare', ['db']);
  assert.equal(await isFrozen(), true);
  assert.deepEqual(await hold.release(), { quiesced: true, problems: [] });
  assert.equal(await isFrozen(), false);
  assert.deepEqual(await readdir(join(dataDirectory, 'hooks')), []);

  await holdAndKill(at({ hooks, dataDirectory }), 'bare', ['db'], async () => assert.equal(await isFrozen(), true));
  await sleep(1000);
  assert.equal(await isFrozen(), true, 'without a shell nothing in the pod can know');
  const words = await quiescer.recall(signal);
  assert.deepEqual(words, ['pod bare/db was left held by a run that was stopped: its post hooks have run now']);
  assert.equal(await isFrozen(), false);
  assert.deepEqual(await quiescer.recall(signal), []);
});

async function runBare(image: string): Promise<void> {
  const annotations = velero({
    'pre.command': JSON.stringify(['touch', '/data/frozen']),
    'post.command': JSON.stringify(['rm', '/data/frozen']),
  });
  await runHooked(world, 'bare', 'db', annotations, { image });
}
