/**
 * A writer to be killed or paused: does everything that a repository can do as fast as it can, several things at once.
 * It prints `try WHAT` before and `did WHAT` after each change that was promised to be safe, and `open` once it begins.
 * With a third argument that file's content says who leads; it ends with `lost` when that is no longer what it was.
 */
import { readFileSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { KeeperError } from '../../controller/errors.ts';
import { renderCommit } from '../../controller/git/commit-object.ts';
import { EMPTY_TREE, objectId } from '../../controller/git/object-id.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, manifest } from './bare-repository.ts';
import { inPieces, packOf } from './pack-bytes.ts';

const [, , directory = '', seed = '0', lease = ''] = process.argv;
const own = lease === '' ? '' : readFileSync(lease, 'utf8');

// Whoever started us is gone: so are we.
process.stdin.resume().on('end', () => process.exit(1));

let state = Number(seed) + 1;
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >>> 8) % below;
}

function say(text: string): void {
  writeSync(1, `${text}\n`);
}

async function guard(): Promise<void> {
  if (lease === '' || readFileSync(lease, 'utf8') === own) return;
  throw new KeeperError('Another one leads', { kind: 'stalled', code: 'LEADERSHIP_LOST' });
}

// A killed process writes no cache.
flushCompileCache();
say('open');
const repository = await openRepository(directory, { autoConsolidate: false, guard }).catch(endIfLost);
/** Refs that are being moved: one move at a time, so that it is known where it is. */
const busy = new Set<string>();
let merging: Promise<unknown> = Promise.resolve();
try {
  for (let round = 0; ; round++) await Promise.all(Array.from({ length: 1 + random(3) }, () => act(round)));
} catch (error) {
  endIfLost(error);
}

function endIfLost(error: unknown): never {
  const isLost = error instanceof KeeperError && /^(LEADERSHIP_LOST|DATA_DIRECTORY_IN_USE)$/.test(error.code);
  if (!isLost || lease === '') throw error;
  say('lost');
  process.exit(0);
}

async function act(round: number): Promise<void> {
  const { head } = repository;
  const choice = head === undefined ? 0 : random(20);
  if (choice < 8 || head === undefined) await commit(round);
  else if (choice < 10) await repository.spill();
  else if (choice < 12) await tag(head);
  else if (choice < 14) await note(head);
  else if (choice < 17) await moveRef(head);
  else if (choice < 19) await receive(head);
  else {
    await merging;
    merging = repository.consolidate({ full: random(2) === 0 });
    merging.catch(endIfLost);
  }
}

async function commit(round: number): Promise<void> {
  for (let i = random(6); i >= 0; i--) {
    const path = `deployments.apps/web-${random(40)}.json`;
    if (random(8) === 0) repository.stageDeletion(path);
    else repository.stage(path, manifest('web', random(1_000_000)));
  }
  const result = await repository.commit({ message: `round ${round}`, author: AUTHOR, time: new Date() });
  if (result !== undefined) say(`did commit ${result.id}`);
}

/** Names are never used twice, by no writer. */
function unique(): string {
  return `${process.pid}-${process.hrtime.bigint()}`;
}

async function tag(target: string): Promise<void> {
  const name = `good/${unique()}`;
  const id = await repository.tag(name, { target, message: 'good', tagger: AUTHOR, time: new Date() });
  say(`did tag ${name} ${id}`);
}

async function note(target: string): Promise<void> {
  const text = unique();
  say(`try note ${target} ${text}`);
  await repository.note(target, `${text}\n`, { author: AUTHOR, time: new Date() });
  say(`did note ${target} ${text}`);
}

async function moveRef(head: string): Promise<void> {
  const name = `refs/remotes/origin/${random(5)}/main`;
  if (busy.has(name)) return;
  busy.add(name);
  const from = repository.ref(name);
  const to = from !== undefined && random(3) === 0 ? undefined : head;
  say(`try ref ${name} ${to ?? 'none'}`);
  await repository.updateRef(name, { from, to });
  say(`did ref ${name} ${to ?? 'none'}`);
  busy.delete(name);
}

/** A commit that somebody else made upon ours, with a large object beside it. */
async function receive(head: string): Promise<void> {
  const content = renderCommit({
    tree: EMPTY_TREE,
    parents: [head],
    author: AUTHOR,
    committer: AUTHOR,
    time: new Date(),
    message: `received ${unique()}`,
  });
  const blob = Buffer.from(unique().repeat(1 + random(20_000)));
  const tree = { type: 'tree', content: Buffer.alloc(0) } as const;
  const pack = packOf([{ type: 'blob', content: blob }, tree, { type: 'commit', content }]);
  await repository.receivePack(inPieces(pack, 1000));
  if (repository.head !== head) return;
  const id = objectId('commit', content);
  try {
    await repository.fastForward(id);
  } catch (error) {
    // Another commit may have come first: then this one does not follow any more.
    if (error instanceof KeeperError && error.code === 'REQUEST_REFUSED') return;
    throw error;
  }
  say(`did commit ${id}`);
}
