import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gradeOf } from '../../../controller/core/data/grade.ts';
import { mergeNotes } from '../../../controller/core/data/merge-notes.ts';
import { type ClaimRecord, type DataNote, parseNote, renderNote } from '../../../controller/core/data/record.ts';
import { parseSnapshotTrailers, renderSnapshotTrailers } from '../../../controller/core/data/snapshot-trailers.ts';
import { KeeperError } from '../../../controller/errors.ts';

const COMMIT = 'a'.repeat(40);

function claim(more: Partial<ClaimRecord> = {}): ClaimRecord {
  return {
    uid: '7d1e0b7e-1111-4000-8000-000000000001',
    volumeSnapshot: 'kubekeeper-data-x7k2p',
    driver: 'csi.example.com',
    class: 'fast',
    state: 'ready',
    askedAt: '2026-11-21T12:00:00.120Z',
    creationTime: '2026-11-21T12:00:01Z',
    handle: 'snap-0001',
    ...more,
  };
}

function refusal(text: string): string {
  try {
    parseNote(text, COMMIT);
  } catch (error) {
    assert.ok(error instanceof KeeperError);
    return `${error.code} ${error.message}`;
  }
  return '';
}

const note: DataNote = {
  version: 1,
  askedAt: '2026-11-21T12:00:00.120Z',
  quiesced: false,
  claims: { logs: claim({ creationTime: '2026-11-21T12:00:04Z', restoreSize: 1_073_741_824 }), data: claim() },
  skipped: { cache: { kind: 'excluded', why: 'by annotation kubekeeper.dev/snapshot' } },
};

test('a note is stable JSON, with the grade for whoever reads it with Git alone', () => {
  const text = renderNote(note);
  assert.match(text, /^\{\n {2}"askedAt": "2026-11-21T12:00:00.120Z",\n {2}"claims": \{\n {4}"data": \{/);
  assert.match(text, /"grade": "crash-consistent"/);
  assert.match(text, /"spreadMs": 4000/);
  assert.equal(renderNote(parseNote(text, COMMIT)), text);
  const reordered: DataNote = { ...note, claims: Object.fromEntries(Object.entries(note.claims ?? {}).reverse()) };
  assert.equal(renderNote(reordered), text);
});

test('fields of later versions are kept as they are, exact numbers too', () => {
  const text = renderNote(note)
    .replace('"version": 1', '"version": 1,\n  "zone": {\n    "id": 12345678901234567890\n  }')
    .replace('"uid"', '"tier": "cold",\n      "uid"');
  const again = renderNote(parseNote(text, COMMIT));
  assert.match(again, /12345678901234567890/);
  assert.match(again, /"tier": "cold"/);
});

test('a grade that somebody wrote by hand counts for nothing', () => {
  const text = renderNote(note).replace('"grade": "crash-consistent"', '"grade": "quiesced"');
  assert.match(renderNote(parseNote(text, COMMIT)), /"grade": "crash-consistent"/);
});

test('a note that no kubekeeper wrote is refused with its first fault and without its content', () => {
  const cases: [string, string, RegExp][] = [
    [
      'no JSON',
      '{',
      /REPOSITORY_HOSTILE .* is not JSON; nothing of it was used, look with "git notes --ref=data show a+"$/,
    ],
    ['another thing', '[]', /the note is not what it should be: object/],
    ['no version', '{}', /version is none of 1/],
    ['a later version', '{"version": 2, "claims": 7}', /REPOSITORY_TOO_NEW .* version 2 .* use a newer kubekeeper/],
    ['a name with a path', '{"version":1,"claims":{"../../etc":{}}}', /claims\.\.\.\/\.\.\/etc is not a name/],
    ['a name that colours', '{"version":1,"claims":{"\\u001b[31m":{}}}', /claims\.\\u001b\[31m is not a name/],
    ['twice the same key', '{"version":1,"version":1}', /names the key "version" twice/],
    ['nested without end', `${'['.repeat(500)}${']'.repeat(500)}`, /nests deeper/],
    ['a state', renderNote(note).replace('"ready"', '"done"'), /claims\.data\.state is none of pending, ready/],
    ['a time', renderNote(note).replace('12:00:01Z"', '25:00:01Z"'), /creationTime is not a time/],
    ['a size', renderNote(note).replace('1073741824', '-1'), /restoreSize is too large or too small/],
    ['a fraction', renderNote(note).replace('1073741824', '1.5'), /restoreSize is not what it should be/],
    ['a size beyond numbers', renderNote(note).replace('1073741824', '18446744073709551616'), /restoreSize/],
    ['a commit', '{"version":1,"coveredBy":"--upload-pack=x"}', /coveredBy is not the id of a commit/],
    ['a long handle', renderNote(note).replaceAll('snap-0001', 'x'.repeat(2000)), /handle is too large/],
    ['a megabyte', `{"version":1,"x":"${'x'.repeat(1_048_576)}"}`, /larger than/],
  ];
  for (const [what, text, message] of cases) {
    const told = refusal(text);
    assert.match(told, message, what);
    assert.ok(!/\p{Cc}/u.test(told), what);
  }
});

test('whatever text a note is, reading it ends in a note or in a refusal', () => {
  const json = fc.json({ maxDepth: 6 });
  const near = fc.tuple(fc.nat(900), fc.string({ maxLength: 4 })).map(([at, put]) => {
    const text = renderNote(note);
    return text.slice(0, at) + put + text.slice(at + put.length);
  });
  fc.assert(
    fc.property(fc.oneof(fc.string(), json, near), (text) => {
      const told = refusal(text);
      if (told === '') assert.equal(refusal(renderNote(parseNote(text, COMMIT))), '');
    }),
    { numRuns: 500 },
  );
});

const anyClaim = fc
  .record(
    {
      state: fc.constantFrom('pending', 'ready', 'failed', 'pruned'),
      why: fc.constantFrom('deadline', 'no space'),
      readyAt: fc.constantFrom('2026-11-21T12:00:02Z', '2026-11-21T12:00:09Z'),
      handle: fc.constantFrom('h1', 'h2'),
      volumeSnapshot: fc.constantFrom('s1', 's2'),
      tier: fc.constantFrom('cold', 'hot'),
    },
    { requiredKeys: ['state', 'volumeSnapshot'] },
  )
  .map((more) => claim(more as Partial<ClaimRecord>));
const anyNote: fc.Arbitrary<DataNote> = fc
  .record(
    {
      quiesced: fc.boolean(),
      claims: fc.dictionary(fc.constantFrom('data', 'logs', 'www'), anyClaim),
      skipped: fc.dictionary(
        fc.constantFrom('cache', 'tmp'),
        fc.record({
          kind: fc.constantFrom('excluded' as const, 'impossible' as const),
          why: fc.constantFrom('a', 'b'),
        }),
      ),
      coveredBy: fc.constantFrom('a'.repeat(40), 'b'.repeat(40)),
    },
    { requiredKeys: [] },
  )
  .map((rest) => ({ version: 1 as const, ...rest }) as DataNote);

test('notes merge to the same whatever the order and however often', () => {
  const same = (left: DataNote, right: DataNote) => assert.equal(renderNote(left), renderNote(right));
  fc.assert(
    fc.property(anyNote, anyNote, anyNote, (a, b, c) => {
      same(mergeNotes(a, b), mergeNotes(b, a));
      same(mergeNotes(mergeNotes(a, b), c), mergeNotes(a, mergeNotes(b, c)));
      same(mergeNotes(mergeNotes(a, b), b), mergeNotes(a, b));
    }),
    { numRuns: 500 },
  );
});

test('in a merge what is further along wins', () => {
  const [pending, ready] = [claim({ state: 'pending' }), claim({ readyAt: '2026-11-21T12:00:05Z' })];
  const pruned = claim({ state: 'pruned', prunedAt: '2026-12-01T00:00:00Z' });
  const merged = [pending, pruned, ready]
    .map((data): DataNote => ({ version: 1, claims: { data } }))
    .reduce((one, other) => mergeNotes(one, other));
  const { state, readyAt, prunedAt } = merged.claims?.['data'] ?? {};
  assert.deepEqual([state, readyAt, prunedAt], ['pruned', '2026-11-21T12:00:05Z', '2026-12-01T00:00:00Z']);
});

test('in a merge data counts as quiesced only if nobody says that it was not', () => {
  const merged = mergeNotes({ version: 1, quiesced: true }, { version: 1, quiesced: false });
  assert.equal(merged.quiesced, false);
  assert.equal(mergeNotes({ version: 1, quiesced: true }, { version: 1 }).quiesced, true);
});

test('a grade says in words how far the data fits together', () => {
  const graded = (more: Partial<DataNote>) => gradeOf({ version: 1, ...more }).words;
  const [data, logs] = [claim(), claim({ creationTime: '2026-11-21T12:00:05Z' })];
  const failed = claim({ state: 'failed', why: 'not ready after 10 min' });
  const pruned = claim({ state: 'pruned', prunedAt: '2026-12-01T00:00:00Z' });
  assert.equal(graded({ claims: { data, logs } }), 'crash-consistent: 2 claims, cut within 5 s');
  const exact = ['12:00:01.5', '12:00:01.75'].map((time) => claim({ creationTime: `2026-11-21T${time}Z` }));
  const fine = Object.fromEntries(exact.map((one, index) => [`c${index}`, one]));
  assert.equal(graded({ claims: fine }), 'crash-consistent: 2 claims, cut within 250 ms');
  assert.equal(graded({ claims: { data } }), 'crash-consistent: 1 claim');
  const silent: ClaimRecord = { ...logs };
  delete silent.creationTime;
  assert.equal(
    graded({ claims: { data, logs: silent } }),
    'crash-consistent: 2 claims, the driver does not say when they were cut',
  );
  const together = { data: claim({ group: 'g1' }), logs: claim({ group: 'g1' }) };
  assert.equal(graded({ claims: together }), 'group: 2 claims, cut at one moment by the driver');
  assert.equal(
    graded({ claims: { ...together, www: claim({ group: 'g2' }) } }),
    'crash-consistent: 3 claims, cut within 1 s',
  );
  assert.match(graded({ claims: { data, logs }, quiesced: true }), /^quiesced: 2 claims/);
  assert.equal(
    graded({ claims: { data, logs: failed }, quiesced: true }),
    'partial: 1 of 2 claims (logs: not ready after 10 min)',
  );
  assert.equal(
    graded({
      claims: { data },
      skipped: { nfs: { kind: 'impossible', why: 'no VolumeSnapshotClass for driver nfs' } },
    }),
    'partial: 1 of 2 claims (nfs: no VolumeSnapshotClass for driver nfs)',
  );
  assert.equal(
    graded({ claims: { data }, skipped: { tmp: { kind: 'excluded', why: 'asked' } } }),
    'crash-consistent: 1 claim',
  );
  assert.equal(
    graded({ claims: { data, logs: claim({ state: 'pending' }) } }),
    'pending: 1 of 2 claims not ready yet (logs)',
  );
  assert.equal(graded({ claims: { data: pruned } }), 'none: 0 of 1 claim (data: pruned on 2026-12-01)');
  assert.equal(graded({}), 'none: no claims');
});

test('a commit names its snapshots in trailers, and where others asked for them the commit that did', () => {
  const snapshots = new Map([
    ['logs', 'kubekeeper-logs-1'],
    ['data-db-0', 'kubekeeper-data-db-0-1'],
  ]);
  const trailers = renderSnapshotTrailers({ snapshots, coveredBy: COMMIT });
  assert.deepEqual(trailers, [
    ['Snapshot', 'data-db-0=kubekeeper-data-db-0-1'],
    ['Snapshot', 'logs=kubekeeper-logs-1'],
    ['Covered-By', COMMIT],
  ]);
  const read = parseSnapshotTrailers(trailers.map(([key, value]) => ({ key, value })));
  assert.deepEqual(read, { snapshots: new Map([...snapshots].sort()), coveredBy: COMMIT, odd: [] });
});

test('of odd trailers nothing is used, and each is told', () => {
  const odd = ['data', 'data=', '=x', 'a=b=c', 'Data=x', 'data=../x', '-a=b', `${'a'.repeat(254)}=b`];
  const read = parseSnapshotTrailers([
    ...odd.map((value) => ({ key: 'Snapshot', value })),
    { key: 'Snapshot', value: 'data=first' },
    { key: 'Snapshot', value: 'data=second' },
    { key: 'Covered-By', value: 'HEAD' },
  ]);
  assert.deepEqual(read, {
    snapshots: new Map([['data', 'first']]),
    coveredBy: undefined,
    odd: [...odd, 'data=second', 'HEAD'],
  });
});
