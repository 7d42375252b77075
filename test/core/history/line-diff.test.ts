import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { diffLines } from '../../../controller/core/history/line-diff.ts';
import { unifiedDiff } from '../../../controller/core/history/unified-diff.ts';

const root = mkdtempSync(join(tmpdir(), 'kubekeeper-diff-'));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'configmaps'));
const PATH = 'configmaps/a%3Ab.json';
const file = join(root, PATH);

const lines = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '', '  "x": 1,'), { maxLength: 30 }), fc.boolean())
  .map(([all, ended]) => all.join('\n') + (ended && all.length > 0 ? '\n' : ''));

function version(text: string) {
  return { id: '1'.repeat(40), text };
}

test('the real git applies a raw diff and has the other version then, byte for byte', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      fc.pre(before !== after && before !== '' && after !== '');
      writeFileSync(file, before);
      const patch = unifiedDiff({ path: PATH, before: version(before), after: version(after) });
      execFileSync('git', ['apply', '--unidiff-zero', '-'], { cwd: root, input: `${patch}\n`, stdio: 'pipe' });
      assert.equal(readFileSync(file, 'utf8'), after);
    }),
    { numRuns: 60 },
  );
});

test('made and deleted files are applied as such', () => {
  rmSync(file, { force: true });
  const apply = (patch: string) =>
    execFileSync('git', ['apply', '-'], { cwd: root, input: `${patch}\n`, stdio: 'pipe' });
  apply(unifiedDiff({ path: PATH, before: undefined, after: version('{}\n') }));
  assert.equal(readFileSync(file, 'utf8'), '{}\n');
  apply(unifiedDiff({ path: PATH, before: version('{}\n'), after: undefined }));
  assert.throws(() => readFileSync(file), { code: 'ENOENT' });
});

test('no smaller script of edits exists for small texts', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const edits = diffLines(before, after, 0)
        .flatMap((hunk) => hunk.lines)
        .filter((line) => !line.startsWith(' '));
      assert.equal(edits.length, fewest(split(before), split(after)));
    }),
    { numRuns: 200 },
  );
});

function split(text: string): readonly string[] {
  return text === '' ? [] : (text.match(/[^\n]*\n|[^\n]+$/g) ?? []);
}

/** By the longest common subsequence. */
function fewest(a: readonly string[], b: readonly string[]): number {
  let previous = new Array<number>(b.length + 1).fill(0);
  for (const one of a) {
    const row = [0];
    for (const [j, other] of b.entries())
      row.push(one === other ? (previous[j] ?? 0) + 1 : Math.max(previous[j + 1] ?? 0, row[j] ?? 0));
    previous = row;
  }
  return a.length + b.length - 2 * (previous[b.length] ?? 0);
}

test('two texts that have nothing in common and are long end soon, as one block', () => {
  const [before, after] = ['old', 'new'].map((word) =>
    Array.from({ length: 30_000 }, (_, i) => `${word} ${i}\n`).join(''),
  );
  const started = performance.now();
  const hunks = diffLines(before as string, after as string, 3);
  assert.equal(hunks.length, 1);
  assert.equal(hunks[0]?.lines.length, 60_000);
  assert.ok(performance.now() - started < 5000);
});
