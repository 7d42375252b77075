import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blobId } from '../../controller/git/object-id.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, Place } from './bare-repository.ts';

const NAMES = [
  'a',
  'b',
  'web-1.json',
  'web-10.json',
  'web-2.json',
  'foo',
  'foo.json',
  'foo-',
  'foo0',
  'é.json',
  '\uffee',
  '😀',
];
const path = fc
  .tuple(fc.constantFrom('', 'd/', 'foo.d/', 'foo/', 'é/', 'd/deep/', 'configmaps/'), fc.constantFrom(...NAMES))
  .map(([directory, name]) => `${directory}${name}${directory === '' ? '.top' : '.file'}`);
const content = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc
    .tuple(fc.nat(60), fc.nat(60))
    .map(([a, b]) => Array.from({ length: 80 }, (_, i) => `line ${i === a ? b : i}\n`).join('')),
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('stage' as const), path, content }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), path }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('commit some' as const), path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unstage' as const), path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('spill' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('consolidate' as const), full: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a person would expect: files by path, and what is to become of some of them. */
interface Model {
  readonly committed: Map<string, string>;
  readonly staged: Map<string, string | undefined>;
  readonly history: Map<string, string>[];
}

test('whatever is staged, deleted, committed, spilled, consolidated and reopened, Git shows exactly that', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      using place = new Place();
      const model: Model = { committed: new Map(), staged: new Map(), history: [] };
      const now = clock();
      let repository = await openRepository(place.directory);
      try {
        for (const each of steps) {
          if (each.do !== 'reopen') await act(repository, model, each, now);
          else {
            await repository[Symbol.asyncDispose]();
            model.staged.clear();
            repository = await openRepository(place.directory);
          }
          compare(repository, model);
        }
      } finally {
        await repository[Symbol.asyncDispose]();
      }
      judge(place, model);
    }),
    { numRuns: 40 },
  );
});

async function act(repository: Repository, model: Model, step: Step, now: () => Date): Promise<void> {
  switch (step.do) {
    case 'stage':
      repository.stage(step.path, step.content);
      model.staged.set(step.path, step.content);
      break;
    case 'delete':
      repository.stageDeletion(step.path);
      model.staged.set(step.path, undefined);
      break;
    case 'unstage':
      repository.unstage(step.path);
      model.staged.delete(step.path);
      break;
    case 'commit':
    case 'commit some': {
      const paths = step.do === 'commit' ? undefined : new Set([step.path]);
      const result = await repository.commit({ message: 'x', author: AUTHOR, time: now() }, paths);
      assert.equal(result?.changed ?? 0, applyStaged(model, paths));
      break;
    }
    case 'spill':
      await repository.spill();
      break;
    case 'consolidate':
      await repository.consolidate({ full: step.full });
      break;
    case 'reopen':
      break;
    default:
      step satisfies never;
  }
}

function applyStaged(model: Model, paths: ReadonlySet<string> | undefined): number {
  let changed = 0;
  for (const [path, text] of model.staged) {
    if (paths !== undefined && !paths.has(path)) continue;
    model.staged.delete(path);
    if (model.committed.get(path) === text) continue;
    changed += 1;
    if (text === undefined) model.committed.delete(path);
    else model.committed.set(path, text);
  }
  if (changed > 0) model.history.push(new Map(model.committed));
  return changed;
}

function compare(repository: Repository, model: Model): void {
  assert.equal(repository.fileCount, model.committed.size);
  const ids = new Map([...repository.files()].map(({ path, id }) => [path, id]));
  assert.deepEqual(ids, blobs(model.committed));
  for (const [path, text] of model.committed) assert.equal(repository.fileId(path), blobId(text));
  const staged = [...model.staged].filter(([path, text]) => model.committed.get(path) !== text).map(([path]) => path);
  assert.deepEqual([...repository.stagedPaths()].sort(), staged.sort());
}

function judge(place: Place, model: Model): void {
  place.fsck();
  if (model.history.length === 0) return;
  const commits = place.lines('rev-list', '--reverse', 'main');
  assert.equal(commits.length, model.history.length);
  commits.forEach((commit, i) => {
    const expected = blobs(model.history[i] as Map<string, string>);
    assert.deepEqual([...place.tree(commit)].sort(), [...expected].sort());
  });
  for (const [path, text] of model.committed) assert.equal(place.git('cat-file', 'blob', `main:${path}`), text);
}

/** Lone surrogates become U+FFFD in UTF-8, here as in Git. */
function blobs(files: Map<string, string>): Map<string, string> {
  return new Map([...files].map(([path, text]) => [path, blobId(text)]));
}
