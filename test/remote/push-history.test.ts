import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, manifest } from '../git/bare-repository.ts';
import { Pushing } from './pushing.ts';

/** Random histories, pushed now and then: after each push the real Git finds the same on both sides. */

const path = fc
  .tuple(fc.constantFrom('', 'configmaps/', 'pods/', 'deep/er/'), fc.integer({ min: 0, max: 9 }))
  .map(([folder, number]) => `${folder}f${folder === '' ? '-top' : ''}-${number}.json`);
const old = fc.nat(50);
/** `version` 0 is a content that is new in the whole history; others come back, at any path. */
function steps(version: fc.Arbitrary<number>) {
  const file = fc.record({ path, version });
  const files = fc.array(file, { minLength: 1, maxLength: 5 });
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('commit' as const), files }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), path }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('spread' as const), count: fc.integer({ min: 20, max: 300 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('merge' as const), old, file }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('side' as const), old, file }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('tag' as const), old }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('note' as const), old }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('consolidate' as const), full: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('repack' as const) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('push' as const), refs: fc.constantFrom(...REFS) }) },
  );
  return fc.array(step, { minLength: 6, maxLength: 40 });
}
const REFS = ['all', 'main', 'rest'] as const;
type Refs = (typeof REFS)[number];
type Step = ReturnType<typeof steps> extends fc.Arbitrary<(infer T)[]> ? T : never;

interface History {
  readonly world: Pushing;
  readonly commits: string[];
  /** Contents and folders come back as they once were. */
  readonly repeats: boolean;
  versions: number;
}

for (const { repeats, version, what } of [
  { repeats: false, version: fc.constant(0), what: 'a push sends exactly what the remote lacks' },
  {
    repeats: true,
    version: fc.integer({ min: 0, max: 3 }),
    what: 'where files come back as they once were, a push sends all that the remote lacks',
  },
]) {
  test(`whatever was committed, merged, tagged, noted and consolidated, ${what}`, async () => {
    await fc.assert(
      fc.asyncProperty(steps(version), async (plan) => {
        await using world = await Pushing.start({ repository: { autoConsolidate: false } });
        const history: History = { world, commits: [], repeats, versions: 10 };
        for (const each of plan) await act(history, each);
        await pushAndJudge(history, 'all');
        assert.deepEqual(world.refs(), ourRefs(world, 'all'));
      }),
      { numRuns: 10 },
    );
  });
}

async function act(history: History, step: Step): Promise<void> {
  const { world, commits } = history;
  const one = (number: number) => commits[number % commits.length];
  const target = 'old' in step ? one(step.old) : undefined;
  if ('old' in step && target === undefined) return;
  switch (step.do) {
    case 'commit':
      await commit(history, Object.fromEntries(step.files.map((each) => [each.path, contentOf(history, each)])));
      break;
    case 'delete':
      if (!history.repeats || world.repository.fileId(step.path) === undefined) break;
      await commit(history, { [step.path]: undefined });
      break;
    case 'spread':
      for (let i = 0; i < step.count; i++) {
        world.repository.stage(`configmaps/many-${i}.json`, manifest(`many-${i}`, history.versions++));
      }
      await commit(history, {});
      break;
    case 'merge':
      await commit(history, { [step.file.path]: contentOf(history, step.file) }, [target as string]);
      break;
    case 'side':
      await makeSide(history, target as string, step.file);
      break;
    case 'tag':
      await world.repository.tag(`good/${history.versions++}`, tagOf(world, target as string));
      break;
    case 'note':
      await world.repository.note(target as string, `${history.versions++}`, { author: AUTHOR, time: world.now() });
      break;
    case 'consolidate':
      await world.repository.consolidate({ full: step.full });
      break;
    case 'repack':
      await repack(world);
      break;
    case 'push':
      await pushAndJudge(history, step.refs);
      break;
    default:
      step satisfies never;
  }
}

function contentOf(
  history: History,
  { path: at, version }: { readonly path: string; readonly version: number },
): string {
  return version > 0 ? manifest('same', version) : manifest(at, history.versions++);
}

async function commit(
  history: History,
  files: Readonly<Record<string, string | undefined>>,
  mergeParents?: readonly string[],
): Promise<void> {
  const { repository } = history.world;
  for (const [at, text] of Object.entries(files)) {
    if (text === undefined) repository.stageDeletion(at);
    else repository.stage(at, text);
  }
  const merge = mergeParents === undefined ? {} : { mergeParents };
  const options = { message: `${history.versions++}`, author: AUTHOR, time: history.world.now(), ...merge };
  const result = await repository.commit(options);
  if (result !== undefined) history.commits.push(result.id);
}

/** A commit of somebody else on an old one, by the real Git; a later merge may take it in. */
async function makeSide(history: History, parent: string, file: { readonly path: string; readonly version: number }) {
  const { world } = history;
  const blob = world.gitWith(contentOf(history, file), 'hash-object', '-w', '--stdin');
  const name = `side-${history.versions++}`;
  const entries = world.place.lines('ls-tree', parent);
  const tree = world.gitWith([...entries, `100644 blob ${blob}\t${name}`, ''].join('\n'), 'mktree');
  const id = world.gitWith(`${name}\n`, 'commit-tree', tree, '-p', parent);
  history.commits.push(id);
  await world.repository.updateRef(`refs/heads/${name}`, { from: undefined, to: id });
}

function tagOf(world: Pushing, target: string) {
  return { target, message: 'good', tagger: AUTHOR, time: world.now() };
}

/** The real Git packs in its own way: reference deltas, chains that lead forward, packed refs. */
async function repack(world: Pushing): Promise<void> {
  await world.repository[Symbol.asyncDispose]();
  world.place.git('repack', '-adfq', '--depth=20');
  world.repository = await openRepository(world.place.directory, { autoConsolidate: false });
}

async function pushAndJudge(history: History, which: Refs): Promise<void> {
  const { world } = history;
  const refs = ourRefs(world, which);
  const before = world.objects('ours', Object.values(world.refs()));
  const wanted = world.objects('ours', Object.values(refs));
  const { objects } = await world.push(refs);
  world.judge();
  const lacking = wanted.difference(before).size;
  if (history.repeats) assert.ok(objects >= lacking, `${objects} sent, ${lacking} lacking`);
  else assert.equal(objects, lacking);
}

function ourRefs({ repository }: Pushing, which: Refs): Record<string, string> {
  const all = [...repository.refs()].filter(([name]) => /^refs\/(?:heads|tags|notes)\//.test(name));
  return Object.fromEntries(
    all.filter(([name]) => which === 'all' || (name === 'refs/heads/main') === (which === 'main')),
  );
}
