import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecEnd, ExecSession, PodExec } from '../../controller/core/data/hooks-exec.ts';
import type { HeldPod, HookJournal } from '../../controller/core/data/hooks-journal.ts';
import type { KubeObject } from '../../controller/core/object.ts';
import { openQuiescer, type QuiesceParts } from '../../controller/data/quiesce.ts';
import { KeeperError } from '../../controller/errors.ts';

/** What the next start makes of pods that were left held, with parts that fail where no real one would at the right moment. */

const HELD: HeldPod = { namespace: 'shop', pod: 'db', uid: 'uid-1' };
const LEFT = 'pod shop/db was left held by a run that was stopped: ';

function pod(uid = 'uid-1', annotations: Readonly<Record<string, string>> = THAW): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db', uid, annotations: { ...annotations } },
    spec: {
      containers: [{ name: 'main' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
    status: { phase: 'Running' },
  };
}

const THAW = { 'post.hook.backup.velero.io/command': 'thaw' };

function journalOf(...pods: readonly HeldPod[]): HookJournal & { readonly uids: Set<string> } {
  const uids = new Set(pods.map(({ uid }) => uid));
  return {
    uids,
    put: async ({ uid }) => {
      uids.add(uid);
    },
    remove: async (uid) => {
      uids.delete(uid);
    },
    list: async () => pods.filter(({ uid }) => uids.has(uid)),
  };
}

/** Ends as it is told to, one command after the other. */
function execOf(...ends: readonly (ExecEnd | KeeperError)[]): PodExec & { readonly commands: string[] } {
  const commands: string[] = [];
  return {
    commands,
    start: async (_place, command): Promise<ExecSession> => {
      const end = ends[commands.length] ?? { kind: 'exited', exitCode: 0 };
      commands.push(command.join(' '));
      if (end instanceof KeeperError) throw end;
      return {
        wrote: async () => false,
        ended: Promise.resolve(end),
        end,
        nudge: () => undefined,
        endInput: () => undefined,
        leave: () => undefined,
      };
    },
  };
}

const parts = (some: Partial<QuiesceParts>): QuiesceParts => ({
  exec: execOf(),
  journal: journalOf(HELD),
  hooks: [],
  readPod: async () => pod(),
  ...some,
});

const signal = new AbortController().signal;
const DOWN = new KeeperError('Cannot reach the API server', { kind: 'transient', code: 'CLUSTER_UNREACHABLE' });

test('a pod that is gone, or another by now, is forgotten', async () => {
  for (const found of [undefined, pod('uid-2')]) {
    const [journal, exec] = [journalOf(HELD), execOf()];
    assert.deepEqual(await openQuiescer(parts({ journal, exec, readPod: async () => found })).recall(signal), []);
    assert.deepEqual([journal.uids.size, exec.commands], [0, []]);
  }
});

test('a post hook that fails has run: it is told, and not run at every start', async () => {
  const [journal, exec] = [journalOf(HELD), execOf({ kind: 'exited', exitCode: 1 })];
  const words = await openQuiescer(parts({ journal, exec })).recall(signal);
  assert.deepEqual(words, [`${LEFT}post hook ended with exit code 1`]);
  assert.deepEqual([journal.uids.size, exec.commands], [0, ['thaw']]);
});

test('a post hook that could not be run is tried again, and what passes is forgotten', async () => {
  const [journal, exec] = [journalOf(HELD), execOf(DOWN, { kind: 'lost' })];
  const words = await openQuiescer(parts({ journal, exec })).recall(signal);
  assert.deepEqual(words, [`${LEFT}its post hooks have run now`]);
  assert.deepEqual([journal.uids.size, exec.commands.length], [0, 3]);
});

test('what cannot be reached stays for the next start, and is told', async () => {
  const rows: readonly (readonly [Partial<QuiesceParts>, string])[] = [
    [{ exec: execOf(DOWN, DOWN, DOWN) }, 'post hook was not run: Cannot reach the API server'],
    [{ readPod: () => Promise.reject(DOWN) }, 'its post hooks could not be run: Cannot reach the API server'],
    [{ readPod: async () => 'forbidden' }, 'it may not be read, so run its post hook yourself'],
  ];
  for (const [some, words] of rows) {
    const journal = journalOf(HELD);
    assert.deepEqual(await openQuiescer(parts({ ...some, journal })).recall(signal), [`${LEFT}${words}`]);
    assert.equal(journal.uids.size, 1);
  }
});

test('a post hook that nobody finds any more is told once', async () => {
  const journal = journalOf(HELD);
  const quiescer = openQuiescer(parts({ journal, readPod: async () => pod('uid-1', {}) }));
  assert.deepEqual(await quiescer.recall(signal), [
    `${LEFT}its post hook is not to be found any more, run it yourself`,
  ]);
  assert.deepEqual(await quiescer.recall(signal), []);
});

test('without a shell nothing is held before the pod is on the disk', async () => {
  const freeze = { ...THAW, 'pre.hook.backup.velero.io/command': 'freeze' };
  const full = new KeeperError('Cannot write: no space left on the disk', {
    kind: 'transient',
    code: 'DATA_DIRECTORY_UNUSABLE',
  });
  const noShell: ExecEnd = { kind: 'not-started', why: 'the container has no such program' };
  const hold = async (journal: HookJournal, exec: PodExec) => {
    const what = { pods: [pod('uid-1', freeze)], claims: ['data'] };
    const held = await openQuiescer(parts({ journal, exec })).hold('shop', what, signal);
    return held?.release();
  };
  const refusing = execOf(noShell);
  assert.deepEqual(await hold({ ...journalOf(), put: () => Promise.reject(full) }, refusing), {
    quiesced: false,
    problems: ['pod db: Cannot write: no space left on the disk'],
  });
  assert.equal(refusing.commands.length, 1, 'only the shell was tried');

  const [journal, exec] = [journalOf(), execOf(noShell)];
  assert.deepEqual(await hold(journal, exec), { quiesced: true, problems: [] });
  assert.deepEqual([exec.commands.slice(1), journal.uids.size], [['freeze', 'thaw'], 0]);

  const [kept, dying] = [journalOf(), execOf(noShell, { kind: 'exited', exitCode: 0 }, DOWN, DOWN, DOWN)];
  assert.equal((await hold(kept, dying))?.quiesced, false);
  assert.deepEqual([...kept.uids], ['uid-1'], 'what was not thawed is left to the next start');
});
