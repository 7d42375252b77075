import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ClaimRecord, renderNote } from '../../controller/core/data/record.ts';
import { KEEP_ALL } from '../../controller/core/data/retention-policy.ts';
import { planPrune } from '../../controller/data/prune.ts';
import { PruneIndex } from '../../controller/data/prune-index.ts';
import { readDataCommits } from '../../controller/data/read-history.ts';
import { KeeperError } from '../../controller/errors.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';

const AUTHOR = { name: 'kubekeeper', email: 'kubekeeper@example.com' };
const HOUR = 3_600_000;
const directory = await mkdtemp(join(tmpdir(), 'kubekeeper-index-'));
after(() => rm(directory, { recursive: true, force: true }));

let files = 0;
async function commit(repository: Repository, hour: number, trailers: readonly string[] = []): Promise<string> {
  repository.stage('configmaps/app.json', String(++files));
  const message = `a change\n\n${trailers.join('\n')}\n`;
  const made = await repository.commit({ message, author: AUTHOR, time: new Date(hour * HOUR) });
  return (made as { id: string }).id;
}

async function note(repository: Repository, id: string, hour: number, more: Partial<ClaimRecord> = {}): Promise<void> {
  const record: ClaimRecord = {
    ...{ uid: 'u', volumeSnapshot: `kubekeeper-data-${hour}`, driver: 'd', class: 'c', state: 'ready' },
    askedAt: new Date(hour * HOUR).toISOString(),
    ...more,
  };
  const text = renderNote({ version: 1, askedAt: record.askedAt, claims: { data: record } });
  await repository.note(id, text, { author: AUTHOR, time: new Date() });
}

async function point(repository: Repository, hour: number, more: Partial<ClaimRecord> = {}): Promise<string> {
  const id = await commit(repository, hour, [`Snapshot: data=kubekeeper-data-${hour}`]);
  await note(repository, id, hour, more);
  return id;
}

const covered = (repository: Repository, hour: number, by: string, byHour: number) =>
  commit(repository, hour, [`Snapshot: data=kubekeeper-data-${byHour}`, `Covered-By: ${by}`]);

test('what is read on is planned as if all was read anew, whatever happened meanwhile', async () => {
  await using repository = await openRepository(join(directory, 'shop.git'));
  const index = new PruneIndex();
  const policy = { ...KEEP_ALL, keep: { ...KEEP_ALL.keep, Last: 3 } };
  const gone = new Set<string>();
  for (let hour = 1; hour <= 60; hour++) {
    const id = await point(repository, hour, hour % 7 === 0 ? { state: 'failed', why: 'no space' } : {});
    for (let more = 0; more < hour % 3; more++) {
      const other = await covered(repository, hour, id, hour);
      if (hour % 10 === 2) {
        await repository.tag(`good/${hour}-${more}`, { target: other, message: 'm', tagger: AUTHOR, time: new Date() });
      }
    }
    if (hour % 4 === 0) {
      const plan = planPrune(await index.read(repository), policy, hour * HOUR);
      const whole = planPrune(await readDataCommits(repository), policy, hour * HOUR);
      assert.deepEqual([...plan.prune].sort(), [...whole.prune].sort());
      for (const commit of await readDataCommits(repository)) {
        const [snapshot] = commit.coveredBy === undefined ? commit.snapshots.values() : [];
        if (snapshot === undefined || !plan.prune.includes(snapshot)) continue;
        gone.add(snapshot);
        const removed = {
          state: 'pruned',
          prunedAt: '2026-11-21T12:00:00Z',
          removedAt: '2026-11-21T12:00:01Z',
        } as const;
        await note(repository, commit.id, Number(snapshot.split('-').at(-1)), removed);
      }
    }
  }
  assert.ok(gone.size > 30, `${gone.size} went`);
  assert.ok((await index.read(repository)).length < 40);
});

test('the tag of a commit counts whose own run had no note yet when it was read', async () => {
  await using repository = await openRepository(join(directory, 'late.git'));
  const index = new PruneIndex();
  const first = await commit(repository, 1, ['Snapshot: data=kubekeeper-data-1']);
  const other = await covered(repository, 2, first, 1);
  await repository.tag('good/late', { target: other, message: 'm', tagger: AUTHOR, time: new Date() });
  await index.read(repository);
  await note(repository, first, 1);
  for (const hour of [3, 4, 5]) await point(repository, hour);
  const policy = { ...KEEP_ALL, keep: { ...KEEP_ALL.keep, Last: 1 } };
  const { prune } = planPrune(await index.read(repository), policy, 9 * HOUR);
  assert.deepEqual([...prune].sort(), ['kubekeeper-data-3', 'kubekeeper-data-4']);
});

test('data whose note cannot be read is not pruned, and a reader is told', async () => {
  await using repository = await openRepository(join(directory, 'odd.git'));
  const id = await point(repository, 1);
  for (const hour of [2, 3]) await point(repository, hour);
  await repository.note(id, '{"version":7}', { author: AUTHOR, time: new Date() });
  const policy = { ...KEEP_ALL, keep: { ...KEEP_ALL.keep, Last: 1 } };
  const { prune } = planPrune(await new PruneIndex().read(repository), policy, 9 * HOUR);
  assert.deepEqual(prune, ['kubekeeper-data-2']);
  await assert.rejects(
    readDataCommits(repository),
    (error) => error instanceof KeeperError && error.code === 'REPOSITORY_TOO_NEW',
  );
  const told: string[] = [];
  const commits = await readDataCommits(repository, { onOdd: ({ code }) => told.push(code) });
  assert.deepEqual(told, ['REPOSITORY_TOO_NEW']);
  assert.deepEqual(planPrune(commits, policy, 9 * HOUR).prune, ['kubekeeper-data-2']);
});

test('a limit reads the newest', async () => {
  await using repository = await openRepository(join(directory, 'limit.git'));
  const ids: string[] = [];
  for (const hour of [1, 2, 3]) ids.push(await point(repository, hour));
  const commits = await readDataCommits(repository, { limit: 2 });
  assert.deepEqual(
    commits.map(({ id }) => id),
    [ids[2], ids[1]],
  );
  assert.equal(commits[0]?.note?.claims?.['data']?.volumeSnapshot, 'kubekeeper-data-3');
});
