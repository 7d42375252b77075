import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { startCluster } from '../cluster/start-cluster.ts';
import { startGitServer } from '../remote/git-server.ts';
import { Churn } from './churn.ts';
import { startGuardian } from './guardian.ts';
import { type Archiver, eventually, keeper, type LogLine, startArchiver, temporaryDirectory } from './keeper.ts';
import { assertOneLine, fingerprintRepositories } from './one-line.ts';
import {
  assertCommittedBefore,
  assertEndsAsLost,
  CHURN_MS,
  committedIn,
  judge,
  launchShort,
  leads,
  msUntil,
  type Pair,
  settle,
  startPair,
  type World,
} from './replica-pair.ts';

/** Two real replicas with one data directory on a real API server: one leads, the other takes over, nothing is lost or doubled. */

let world: World;
before(async () => {
  world = { cluster: await startCluster(), guardian: startGuardian() };
});
after(async () => {
  await world.cluster[Symbol.asyncDispose]();
  world.guardian[Symbol.dispose]();
});

/** From the moment a replica was told or seen to be gone; worst cases on a busy machine are below the promise by a margin. */
const CRASH_TAKEOVER_MS = 20_000;
const STOP_TAKEOVER_MS = 3_000;
const ROUNDS = 10;

test('the manifests for two replicas are accepted, and let the account take part in its own election and no other', async () => {
  await world.cluster.kubectl(['create', 'namespace', 'kubekeeper-system']);
  const rendered = await world.cluster.kubectl(['kustomize', 'config/ha']);
  await world.cluster.kubectl(['apply', '--server-side', '--validate=strict', '-f', '-'], { input: rendered });
  const can = (verb: string, name: string, namespace: string) =>
    world.cluster
      .kubectl([
        ...['auth', 'can-i', verb, `leases.coordination.k8s.io${name}`, '-n', namespace],
        '--as=system:serviceaccount:kubekeeper-system:kubekeeper-archiver',
      ])
      .then(
        () => true,
        () => false,
      );
  assert.equal(await can('create', '', 'kubekeeper-system'), true);
  assert.equal(await can('update', '/kubekeeper', 'kubekeeper-system'), true);
  assert.equal(await can('update', '/other', 'kubekeeper-system'), false);
  assert.equal(await can('delete', '/kubekeeper', 'kubekeeper-system'), false);
  assert.equal(await can('update', '/kubekeeper', 'default'), false);
});

test('of two replicas one leads; the other says for whom it waits, asks for nothing but the Lease and writes nothing', async () => {
  await using proxy = await startFaultProxy(world.cluster);
  await using pair = await startPair(world, 'calm');
  const { leader, standby } = await pair.roles();
  assert.equal(await standby.stop(), 0, 'a standby ends quietly');
  const watched = pair.start(proxy.kubeconfig);
  await watched.waitFor('standby', ({ event }) => event === 'standby');
  await eventually('several looks', async () => proxy.count(({ path }) => path.includes('/leases/calm')) > 3);
  const asked = new Set(proxy.requests.map(({ method, path }) => `${method} ${path}`));
  assert.deepEqual(
    [...asked],
    ['GET /api/v1/namespaces/kube-system', 'GET /apis/coordination.k8s.io/v1/namespaces/default/leases/calm'],
  );
  const holder = JSON.parse(await readFile(join(pair.directory, 'lock'), 'utf8')) as { process: number; term: object };
  assert.equal(holder.process, leader.child.pid);
  assert.deepEqual(
    watched.lines.map(({ event }) => event),
    ['standby'],
  );
  assert.equal(await leader.stop(), 0);
  await watched.waitFor('leading', leads);
  assert.equal(await watched.stop(), 0);
});

test('rights to the Lease that are missing, or taken away, are named', async () => {
  await using directory = await temporaryDirectory();
  const read = { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] };
  const write = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'update'] };
  const user = await world.cluster.createUser('candidate', [read]);
  const args = ['--leader-elect', '--lease', 'default/rights'];
  const place = ['--kubeconfig', user.kubeconfig, '--data-dir', join(directory.path, 'data')];
  const refused = await keeper(['archive', ...place, ...args]);
  assert.equal(refused.code, 4);
  assert.match(
    refused.stderr,
    /^error: Cannot take part in the election: not permitted to create the Lease "rights" in namespace "default"; nothing was archived, grant get, create and update [^\n]+\n$/,
  );
  assert.deepEqual(await readdir(directory.path), [], 'the data directory was made');
  await user.setRules([read, write]);
  const leader = startArchiver(user.kubeconfig, directory.path, ...args);
  world.guardian.watch(leader.child.pid);
  await using _running = leader;
  await leader.waitFor('the lead', leads);
  await user.setRules([read]);
  assert.equal(await leader.stop('SIGCONT'), 1);
  assert.match(leader.output(), /error: This replica lost the lead: .*not permitted to update the Lease "rights"/);
});

/** Most of their time is waiting for a Lease to run out. */
describe('side by side', { concurrency: true }, () => {
  test('three times the leader is killed and three times it is stopped while changes come: nothing is lost or doubled', async (t) => {
    await using pair = await startPair(world, 'crashes');
    pair.churn.start();
    for (let round = 0; round < 3; round++) {
      const { leader, standby } = await pair.roles();
      await leader.waitFor('commits', committedIn(pair.namespace));
      await sleep(Math.random() * 1000);
      const killed = Date.now();
      leader.child.kill('SIGKILL');
      const leadsAfter = await msUntil(standby, killed, 'the lead', leads);
      const commitsAfter = await msUntil(standby, killed, 'a commit', committedIn(pair.namespace));
      t.diagnostic(`after a crash: leads after ${leadsAfter} ms, commits after ${commitsAfter} ms`);
      assert.ok(commitsAfter < CRASH_TAKEOVER_MS, `committed ${commitsAfter} ms after the crash`);
      pair.start();
    }
    for (let round = 0; round < 3; round++) {
      const { leader, standby } = await pair.roles();
      await leader.waitFor('commits', committedIn(pair.namespace));
      const stopped = Date.now();
      const ended = leader.stop('SIGTERM');
      const leadsAfter = await msUntil(standby, stopped, 'the lead', leads);
      const commitsAfter = await msUntil(standby, stopped, 'a commit', committedIn(pair.namespace));
      t.diagnostic(`after a stop: leads after ${leadsAfter} ms, commits after ${commitsAfter} ms`);
      assert.equal(await ended, 0);
      assert.ok(leadsAfter < STOP_TAKEOVER_MS, `led ${leadsAfter} ms after the stop`);
      pair.start();
    }
    await judge(world, pair);
  });

  test('three times a frozen leader wakes up after another took over: it writes nothing and ends', async (t) => {
    await using pair = await startPair(world, 'freezes');
    for (let round = 0; round < 3; round++) {
      pair.churn.start();
      const { leader, standby } = await pair.roles();
      await leader.waitFor('commits', committedIn(pair.namespace));
      await sleep(Math.random() * 1000);
      const frozen = Date.now();
      leader.child.kill('SIGSTOP');
      t.diagnostic(`frozen: the other leads after ${await msUntil(standby, frozen, 'the lead', leads)} ms`);
      await standby.waitFor('a commit', committedIn(pair.namespace), { timeoutMs: 60_000 });
      const before = await settle(pair);
      const told = await assertEndsAsLost(leader);
      assert.deepEqual(await fingerprintRepositories(pair.directory), before);
      await assertCommittedBefore(pair, told, standby);
      pair.start();
    }
    await judge(world, pair);
  });

  test('a leader cut off from its Lease alone stops writing within ten seconds, though changes still reach it', async (t) => {
    await using proxy = await startFaultProxy(world.cluster);
    await using pair = await startPair(world, 'cut');
    const first = await pair.roles();
    // The next leader is the one that speaks through the proxy.
    assert.equal(await first.standby.stop(), 0);
    const leader = pair.start(proxy.kubeconfig);
    await leader.waitFor('standby', ({ event }) => event === 'standby');
    await first.leader.stop();
    await leader.waitFor('the lead', leads);
    pair.start();
    pair.churn.start();
    const { standby } = await pair.roles();
    await leader.waitFor('commits', committedIn(pair.namespace));
    const cut = Date.now();
    proxy.add({ path: /leases/, action: { do: 'stall' } });
    assert.equal(await leader.stop('SIGCONT'), 1);
    assert.match(
      leader.output(),
      /error: This replica lost the lead: .* could not be renewed for 10 s \(.*no answer for 5 s\)/,
    );
    const commits = leader.lines.filter(committedIn(pair.namespace)).map((line) => Date.parse(String(line['time'])));
    const lastMs = Math.max(...commits) - cut;
    const leadsAfter = await msUntil(standby, cut, 'the lead', leads);
    t.diagnostic(`the cut one's last commit after ${lastMs} ms, the other leads after ${leadsAfter} ms`);
    assert.ok(lastMs > 1000 && lastMs <= 10_500, `wrote until ${lastMs} ms after the cut`);
    await standby.waitFor('a commit', committedIn(pair.namespace));
    pair.start();
    await judge(world, pair);
  });

  test('with a disk each and one remote the next leader goes on in the history that was pushed: one line, nothing lost or doubled', async (t) => {
    await using server = await startGitServer();
    server.createRepository('ops/prod-split');
    await world.cluster.kubectl(['create', 'namespace', 'split']);
    await using stack = new AsyncDisposableStack();
    const start = async () => {
      const directory = stack.use(await temporaryDirectory());
      const windows = ['--window', '100ms', '--max-window', '300ms', '--namespaces', 'split'];
      const election = ['--leader-elect', '--lease', 'default/split'];
      const remote = [
        '--remote',
        `${server.url}/ops/{cluster}-{namespace}.git`,
        '--cluster-name',
        'prod',
        '--forge',
        'none',
      ];
      const replica = startArchiver(world.cluster.kubeconfig, directory.path, ...windows, ...election, ...remote);
      world.guardian.watch(replica.child.pid);
      stack.defer(() => void replica.child.kill('SIGKILL'));
      return replica;
    };
    const pushed = ({ event }: LogLine) => event === 'pushed';
    const churn = new Churn(world.cluster, 'split', CHURN_MS);
    stack.defer(() => churn.stop());
    churn.start();
    const first = await start();
    await first.waitFor('the lead', leads);
    const second = await start();
    await first.waitFor('a push', pushed);
    await second.waitFor('standby', ({ event }) => event === 'standby');
    await sleep(Math.random() * 1000);
    const killed = Date.now();
    first.child.kill('SIGKILL');
    const leadsAfter = await msUntil(second, killed, 'the lead', leads);
    const pushesAfter = await msUntil(second, killed, 'a push', pushed);
    t.diagnostic(`after a crash: leads after ${leadsAfter} ms, pushes after ${pushesAfter} ms`);
    assert.ok(second.lines.some(({ event }) => event === 'adopted'));
    const third = await start();
    await third.waitFor('standby', ({ event }) => event === 'standby');
    await sleep(Math.random() * 1000);
    second.child.kill('SIGSTOP');
    await third.waitFor('a push', pushed, { timeoutMs: 60_000 });
    await assertEndsAsLost(second);
    await churn.stop();
    const tree = () => server.git('ops/prod-split', 'ls-tree', '-r', '--name-only', 'main');
    await eventually('the last change', async () => tree().includes(`configmaps/${churn.made.at(-1)}.json`));
    assert.equal(await third.stop(), 0);
    const acknowledged = [first, second, third].flatMap((one) =>
      one.lines.filter(pushed).map((line) => String(line['id'])),
    );
    await assertOneLine(join(server.directory, 'ops'), 'prod-split', { made: churn.made, acknowledged });
  });
});

test('ten times with a short Lease, at any moment and while the other one writes: what wakes up changes nothing', async (t) => {
  await using pair = await startPair(world, 'wakes', launchShort);
  pair.churn.start();
  let voided = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { leader, standby } = await pair.roles();
    try {
      await freezeAndWake(pair, leader, standby, round % 2 === 0);
    } catch (error) {
      // On a machine that is too busy for so short a Lease a leader may lose it without any help: that is no round.
      const isBusy = error instanceof Error && /could not be renewed for 4 s/.test(error.message);
      if (!isBusy || ++voided > 2 * ROUNDS) throw error;
      await pair.refill();
      round--;
      continue;
    }
    pair.start();
  }
  const commits = pair.acknowledged().length;
  t.diagnostic(`${pair.churn.made.length} objects, ${commits} commits, ${ROUNDS} takeovers, ${voided} rounds void`);
  await judge(world, pair);
});

/** Some wake up while the new one still opens the repositories, some while it writes. */
async function freezeAndWake(pair: Pair, leader: Archiver, standby: Archiver, isLate: boolean): Promise<void> {
  const from = leader.lines.length;
  await leader.waitFor('a commit', committedIn(pair.namespace), { from });
  await sleep(Math.random() * 250);
  leader.child.kill('SIGSTOP');
  await standby.waitFor('the lead', leads);
  if (isLate) await standby.waitFor('a commit', committedIn(pair.namespace));
  else await sleep(Math.random() * 400);
  await assertCommittedBefore(pair, await assertEndsAsLost(leader), standby);
}

test('an API server that is away for half a minute ends the leader; the standby and a restart go on with nothing lost', async (t) => {
  await using pair = await startPair(world, 'outage');
  pair.churn.start();
  const { leader, standby } = await pair.roles();
  await leader.waitFor('commits', committedIn(pair.namespace));
  const away = Date.now();
  await world.cluster.stopApiServer();
  assert.equal(await leader.stop('SIGCONT'), 1);
  const endedAfter = Date.now() - away;
  assert.match(leader.output(), /error: This replica lost the lead: .*Cannot reach the API server/);
  await sleep(away + 30_000 - Date.now());
  await world.cluster.startApiServer();
  const back = Date.now();
  pair.start();
  const leadsAfter = await msUntil(standby, back, 'the lead', leads);
  t.diagnostic(
    `the leader ended after ${endedAfter} ms; the standby leads ${leadsAfter} ms after the server is ready again`,
  );
  assert.ok(endedAfter < 13_000);
  await standby.waitFor('a commit', committedIn(pair.namespace));
  await judge(world, pair);
});
