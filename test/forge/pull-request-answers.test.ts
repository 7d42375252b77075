import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../controller/core/object.ts';
import { readPull, readReviews } from '../../controller/forge/pull-request-answers.ts';

const ID = '1'.repeat(40);
const PULL = {
  number: 7,
  html_url: 'https://git.example/ops/shop/pulls/7',
  state: 'closed',
  head: { ref: 'kubekeeper/restore/x', sha: ID },
  base: { ref: 'main' },
  merged_at: '2026-01-01T00:00:00Z',
  merge_commit_sha: ID,
};

test('what is no pull request is none, and no odd commit comes from a forge', () => {
  assert.equal(readPull(PULL)?.state, 'merged');
  const odd: readonly Json[] = [
    null,
    'text',
    [],
    {},
    { ...PULL, number: '7' },
    { ...PULL, number: 1e300 },
    { ...PULL, html_url: null },
    { ...PULL, head: null },
    { ...PULL, head: { ref: 'x', sha: '../../../etc/passwd' } },
    { ...PULL, head: { ref: 'x', sha: ID.toUpperCase().replace('1', 'G') } },
    { ...PULL, base: 'main' },
  ];
  for (const answer of odd) assert.equal(readPull(answer), undefined, JSON.stringify(answer));
  assert.equal(readPull({ ...PULL, merge_commit_sha: '../x' })?.mergeCommit, undefined);
  assert.equal(readPull({ ...PULL, html_url: 'https://x/\u001b[31m' })?.url, 'https://x/\\u001b[31m');
});

test('of each person the last verdict counts; a dismissed one counts as none, and what is pending was not said', () => {
  const said = (login: string, state: string, more: object = {}) =>
    ({ user: { login }, state, commit_id: ID, ...more }) as Json;
  const reviews = readReviews([
    said('ann', 'APPROVED'),
    said('ann', 'REQUEST_CHANGES'),
    said('bob', 'CHANGES_REQUESTED'),
    said('bob', 'APPROVED'),
    said('bob', 'COMMENT'),
    said('cleo', 'APPROVED', { dismissed: true }),
    said('dora', 'APPROVED'),
    said('dora', 'DISMISSED'),
    said('emil', 'PENDING'),
    said('finn', 'REQUEST_REVIEW'),
    { state: 'APPROVED' },
  ]);
  assert.deepEqual(
    reviews.map(({ by, verdict }) => [by, verdict]),
    [
      ['ann', 'changes-requested'],
      ['bob', 'approved'],
    ],
  );
});
