import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVERYTHING, type Plan, type Selection } from '../../../controller/core/restore/plan.ts';
import { parseProposal, proposalTitle, renderProposal } from '../../../controller/core/restore/proposal.ts';
import { parseTrailers } from '../../../controller/git/commit-object.ts';

const [COMMIT, HASH] = ['1'.repeat(40), '2'.repeat(64)];

function planOf(selection: Selection): Plan {
  const target = { clusterId: '', namespace: 'shop', asUser: undefined };
  return { version: 1, repository: 'shop', commit: COMMIT, target, selection, steps: [], equal: 0, hash: HASH };
}

test('what the commit of a proposal says can be read back, whatever a person selected', () => {
  const odd = ['configmaps/a\nPlan: 3', 'x\u2028Selection: {}', '😀 "quoted" \\ \u202e', ' \t: '];
  const selections: readonly Selection[] = [
    EVERYTHING,
    { ...EVERYTHING, objects: odd, kinds: odd, selector: odd.join(), fields: odd, unprotect: odd },
    { ...EVERYTHING, prune: true, existing: 'replace', evenIfManaged: true },
  ];
  for (const selection of selections) {
    const message = renderProposal('restore shop', planOf(selection));
    assert.deepEqual(parseProposal(parseTrailers(message)), { restoreTo: COMMIT, plan: HASH, selection });
  }
});

test('words that are not whole, not ours or there twice are no proposal', () => {
  const message = renderProposal('restore shop', planOf(EVERYTHING));
  const broken = [
    message.replace(COMMIT, COMMIT.slice(1)),
    message.replace(HASH, 'main'),
    message.replace(/Plan: .*\n/, ''),
    message.replace('Plan:', `Plan: ${HASH}\nPlan:`),
    message.replace('"prune":false', '"prune":"no"'),
    message.replace('"prune":false,', ''),
    message.replace('"prune":false', '"prune":false,"more":true'),
    message.replace('Selection: {', 'Selection: '),
    `${message}\nanother paragraph\n`,
  ];
  for (const text of broken) assert.equal(parseProposal(parseTrailers(text)), undefined, text);
});

test('the title is one line that says what happens', () => {
  const title = proposalTitle(planOf(EVERYTHING), `good/1\nfix: ${'x'.repeat(200)}`);
  assert.match(title, /^restore shop to good\/1\\u000afix: x{68}: nothing$/);
});
