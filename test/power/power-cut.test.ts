import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DirectoryNode, Disk, type Operation } from './disk.ts';
import { History, type Promised } from './history.ts';
import { judge } from './judge.ts';
import { mount, unmount } from './mounts.ts';
import { cutPower, type Random, seeded } from './power-cut.ts';
import { openRepository } from './repositories.ts';

/**
 * The power goes at any operation, and the disk keeps what was synced and any part of the rest. The repositories' real code runs
 * on it, before and after. More cuts: KUBEKEEPER_POWER_CUTS=100000.
 */

const CUTS = Number(process.env['KUBEKEEPER_POWER_CUTS'] ?? 10_000);
const STEPS = 14;
const CUTS_PER_OPERATION = 2;
/** One in so many is looked at by the real git as well. */
const FSCK_EVERY = 200;

interface Cut {
  readonly disk: Disk;
  readonly promised: Promised;
  readonly operation: Operation;
  readonly seed: number;
}

/** Lives one life and cuts the power before each of its operations. */
async function liveAndCut(seed: number, isForgotten?: (operation: Operation) => boolean): Promise<readonly Cut[]> {
  const random = seeded(seed * 7919 + 1);
  const history = new History(seed);
  const cuts: Cut[] = [];
  const disk = new Disk({
    ...(isForgotten === undefined ? {} : { isForgotten }),
    before: (operation) => {
      for (let count = 0; count < CUTS_PER_OPERATION; count++) {
        cuts.push({ disk: cutPower(disk, random), promised: history.promised, operation, seed });
      }
    },
  });
  const name = `life-${seed}`;
  try {
    await using repository = await openRepository(`${mount(name, disk)}/shop.git`, { autoConsolidate: false });
    await history.run(repository, STEPS);
  } finally {
    unmount(name);
  }
  return cuts;
}

/** What is broken after a cut; undefined when every promise is kept. */
async function violationOf(cut: Cut, name: string): Promise<Error | undefined> {
  const directory = `${mount(name, cut.disk)}/shop.git`;
  try {
    await judge(directory, cut.promised);
    return undefined;
  } catch (error) {
    return new Error(`seed ${cut.seed}, before ${cut.operation.kind} of ${cut.operation.path}`, { cause: error });
  } finally {
    unmount(name);
  }
}

test(`${CUTS} power cuts: nothing acknowledged is lost, nothing is torn, and the next start goes on`, async () => {
  let judged = 0;
  for (let seed = 1; judged < CUTS; seed++) {
    for (const cut of (await liveAndCut(seed)).slice(0, CUTS - judged)) {
      if (judged % FSCK_EVERY === 0) requireCleanForGit(cut);
      const violation = await violationOf(cut, `cut-${judged++}`);
      if (violation !== undefined) throw violation;
    }
  }
  assert.equal(judged, CUTS);
});

test('the power goes again while the next start cleans up', async () => {
  const random = seeded(4711);
  let judged = 0;
  for (let seed = 1; judged < CUTS / 10; seed++) {
    for (const cut of await liveAndCut(seed)) {
      if (random() > 0.1) continue;
      for (const again of await cutWhileOpening(cut, random)) {
        const violation = await violationOf(again, `again-${judged++}`);
        if (violation !== undefined) throw violation;
      }
    }
  }
});

async function cutWhileOpening(cut: Cut, random: Random): Promise<readonly Cut[]> {
  const cuts: Cut[] = [];
  const name = `opening-${cut.seed}`;
  cut.disk.options = {
    before: (operation) => cuts.push({ ...cut, operation, disk: cutPower(cut.disk, random) }),
  };
  try {
    const repository = await openRepository(`${mount(name, cut.disk)}/shop.git`, { autoConsolidate: false });
    await repository[Symbol.asyncDispose]();
  } finally {
    unmount(name);
  }
  return cuts;
}

/** Each sync that is left out must show, or it would be there for nothing and this test could not fail. */
for (const [what, isForgotten] of [
  ['of a pack', ({ kind, path }) => kind === 'sync file' && path.includes('tmp_pack_')],
  ['of an index', ({ kind, path }) => kind === 'sync file' && path.includes('tmp_idx_')],
  ['of the directory of packs', ({ kind, path }) => kind === 'sync directory' && path.endsWith('/pack')],
  ['of a ref', ({ kind, path }) => kind === 'sync file' && path.includes('/refs/heads/')],
  ['of the directory of branches', ({ kind, path }) => kind === 'sync directory' && path.endsWith('/refs/heads')],
] as readonly (readonly [string, (operation: Operation) => boolean])[]) {
  test(`without the sync ${what} the same cuts lose something`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      for (const [index, cut] of (await liveAndCut(seed, isForgotten)).entries()) {
        if ((await violationOf(cut, `careless-${index}`)) !== undefined) return;
      }
    }
    assert.fail('no cut showed it');
  });
}

/** On the machine's own disk, before our next start has cleaned up: leftovers may lie there, damage may not. */
function requireCleanForGit(cut: Cut): void {
  if (cut.promised.head === undefined) return;
  const directory = mkdtempSync(join(tmpdir(), 'kubekeeper-power-'));
  try {
    pour(cut.disk.root, directory);
    execFileSync('git', ['-C', join(directory, 'shop.git'), 'fsck', '--strict', '--no-dangling'], { stdio: 'pipe' });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function pour(from: DirectoryNode, to: string): void {
  for (const [name, node] of from.names) {
    const path = join(to, name);
    if (node.kind === 'file') writeFileSync(path, node.content);
    else {
      mkdirSync(path);
      pour(node, path);
    }
  }
}
