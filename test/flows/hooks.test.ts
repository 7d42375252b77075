import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { missingForNode } from '../node/requirements.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';
import { eventually, git, keeper, startArchiver, temporaryDirectory } from './keeper.ts';

/** Hooks around real snapshots, as people run them: a program writes to two claims in turn, and the driver cuts them seconds apart. */

const skip = await missingForNode();

/** Writes each number to both claims; between two numbers it looks whether it shall stand still, and says that it does. */
const WRITER = `n=0; while :; do
  if [ -e /tmp/hold ]; then touch /tmp/held; sleep 0.05; continue; fi
  rm -f /tmp/held; n=$((n+1)); echo $n > /one/n; sleep 0.02; echo $n > /two/n
done`;
const HOLD = `touch /tmp/hold; while ! [ -e /tmp/held ]; do sleep 0.05; done; sync; echo held; cat; rm /tmp/hold`;

const policy = (hooks: string) => `includedNamespaces: [shop]
data:
  groupSnapshots: never
${hooks}`;
const HELD = `  hooks:
    resources:
      - name: writer
        held: [{ exec: { command: [sh, -c, ${JSON.stringify(HOLD)}] } }]
`;

let world: TestNode;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
before(async () => {
  if (skip !== false) return;
  place = await temporaryDirectory();
  world = await startTestNode({ groupSnapshots: false });
  await world.createNamespace('shop');
  for (const name of ['one', 'two']) await world.createClaim('shop', name);
  await world.runPod('shop', 'writer', ['one', 'two']);
  await inWriter(`(${WRITER}) > /dev/null 2>&1 &`);
  await writeFile(join(place.path, 'held.yaml'), policy(HELD));
  await writeFile(join(place.path, 'wrong.yaml'), policy(HELD.replace('echo held;', 'exit 3;')));
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
  await place?.[Symbol.asyncDispose]();
});
afterEach(() => world?.node.faults.clear());

const inWriter = (script: string) => world.node.exec('shop', 'writer', ['sh', '-c', script]);
const isHeld = async () => (await inWriter('if [ -e /tmp/held ]; then echo yes; fi')) !== '';
const written = async () => Number(await inWriter('cat /one/n'));

interface Note {
  readonly grade: string;
  readonly problems?: readonly string[];
  readonly claims: Readonly<Record<string, { readonly volumeSnapshot: string }>>;
}

/** Of the newest commit, after a backup that may take any exit code of these. */
async function backup(data: string, config: string, code: number): Promise<Note> {
  const { kubeconfig } = world.cluster;
  const where = ['--kubeconfig', kubeconfig, '--data-dir', data, '--config', join(place.path, config)];
  const ended = await keeper(['backup', 'shop', ...where]);
  assert.equal(ended.code, code, ended.stdout + ended.stderr);
  return JSON.parse(await git(data, 'shop', 'notes', '--ref=data', 'show', 'main')) as Note;
}

test('what two claims hold fits together although the driver cut them two seconds apart', { skip }, async () => {
  await world.node.faults.set({ call: 'CreateSnapshot', claim: 'shop/two', delayMs: 2000 });
  const note = await backup(join(place.path, 'fits'), 'held.yaml', 0);
  assert.deepEqual([note.grade, note.problems], ['quiesced', undefined]);
  for (const [claim, { volumeSnapshot }] of Object.entries(note.claims)) {
    await world.createClaim('shop', `${claim}-again`, { snapshot: volumeSnapshot });
  }
  await world.runPod('shop', 'reader', ['one-again', 'two-again']);
  const script = 'cat /one-again/n /two-again/n';
  const [one, two] = (await world.node.exec('shop', 'reader', ['sh', '-c', script])).trim().split('\n');
  assert.ok(Number(one) > 0 && one === two, `one has ${one}, two has ${two}`);
  await world.remove('shop', 'pod/reader', 'pvc/one-again', 'pvc/two-again');
  const now = await written();
  await eventually('the writer goes on', async () => (await written()) > now);
});

test('where a hook fails the snapshots are there, the point is not called quiesced, and the note says why', {
  skip,
}, async () => {
  const note = await backup(join(place.path, 'wrong'), 'wrong.yaml', 0);
  assert.equal(note.grade, 'crash-consistent');
  assert.deepEqual(note.problems, ['pod writer: held hook writer ended with exit code 3 before it wrote a line']);
  await inWriter('rm -f /tmp/hold');
});

test('an archiver that is killed while the driver cuts leaves the writer free within seconds, and the next one ends well', {
  skip,
}, async (t) => {
  const data = join(place.path, 'killed');
  await world.node.faults.set({ call: 'CreateSnapshot', delayMs: 20_000 });
  const { kubeconfig } = world.cluster;
  const config = ['--config', join(place.path, 'held.yaml')];
  const archiver = startArchiver(kubeconfig, data, ...config);
  await eventually('the writer stands still', isHeld);
  const before = await written();
  await archiver.stop('SIGKILL');
  const killed = performance.now();
  await eventually('the writer goes on', async () => (await written()) > before);
  const took = performance.now() - killed;
  t.diagnostic(`the writer went on ${Math.round(took)} ms after the kill`);
  assert.ok(took < 5000, `it took ${took} ms`);
  await world.node.faults.clear();
  await using next = startArchiver(kubeconfig, data, ...config);
  await next.waitFor('its snapshots', ({ event }) => event === 'snapshots-decided', { timeoutMs: 60_000 });
  const then = await written();
  await eventually('the writer goes on', async () => (await written()) > then);
});
