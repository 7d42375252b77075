import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVERYTHING, type Plan, type Step } from '../../../controller/core/restore/plan.ts';
import { planHash } from '../../../controller/core/restore/plan-hash.ts';
import { parsePlanHash, renderPlan, renderPlanMarkdown } from '../../../controller/core/restore/render-plan.ts';

function step(action: Step['action'], object: string, more: Partial<Step> = {}): Step {
  const slash = object.indexOf('/');
  return {
    action,
    ref: { resource: object.slice(0, slash), namespace: 'shop', name: object.slice(slash + 1) },
    path: `${object}.json`,
    wave: 'configuration',
    reason: 'it does not live',
    fields: [],
    notes: [],
    managedBy: undefined,
    liveVersion: undefined,
    digest: 'd',
    ...more,
  };
}

function planOf(steps: readonly Step[], more: Partial<Omit<Plan, 'hash'>> = {}): Plan {
  const body = {
    version: 1 as const,
    repository: 'shop',
    commit: 'a'.repeat(40),
    target: { clusterId: 'c1', namespace: 'shop', asUser: undefined },
    selection: EVERYTHING,
    steps,
    equal: 210,
    ...more,
  };
  return { ...body, hash: planHash(body) };
}

const many = Array.from({ length: 30 }, (_, index) => step('create', `configmaps/app-${index}`));
const image = { short: 'image 1 -> 2', long: 'spec.template.spec.containers[web].image 1 -> 2' };

test('the table tells action, object and reason, what differs below, and the counts at the end', () => {
  const plan = planOf([
    step('create', 'configmaps/app'),
    step('update', 'deployments.apps/web', { reason: '1 field differs', fields: [image], notes: ['watch out'] }),
    step('skip', 'secrets/db', { reason: 'only a fingerprint is archived' }),
  ]);
  assert.equal(
    renderPlan(plan),
    [
      'create    configmaps/app        it does not live',
      'update    deployments.apps/web  1 field differs',
      '          spec.template.spec.containers[web].image 1 -> 2',
      '          note: watch out',
      'skip      secrets/db            only a fingerprint is archived',
      '',
      `Plan ${plan.hash.slice(0, 12)}: 1 to create, 1 to update, 1 skipped, 210 objects are equal already`,
      '',
    ].join('\n'),
  );
});

test('a plan that does nothing says so', () => {
  assert.match(renderPlan(planOf([])), /^Plan [0-9a-f]{12}: nothing to do, 210 objects are equal already\n$/);
});

test('many new objects of one resource are one line, unless all are asked for or something is to be said', () => {
  const noted = step('create', 'configmaps/noted', { notes: ['look'] });
  const deleted = Array.from({ length: 30 }, (_, index) => step('delete', `secrets/s-${index}`));
  const plan = planOf([...many, noted, ...deleted]);
  const lines = renderPlan(plan).split('\n');
  assert.match(lines[0] ?? '', /^create +configmaps \(30\) +it does not live: app-0, app-1, app-2, \.\.\.$/);
  assert.match(lines[1] ?? '', /^create +configmaps\/noted/);
  assert.equal(lines.filter((line) => line.startsWith('delete')).length, 30);
  assert.equal(
    renderPlan(plan, { verbose: true })
      .split('\n')
      .filter((line) => line.startsWith('create')).length,
    31,
  );
});

test('who else keeps an object is said once', () => {
  const managedBy = 'Argo CD application shop';
  const plan = planOf([
    step('update', 'configmaps/a', { reason: '1 field differs', managedBy }),
    step('keep', 'configmaps/b', { reason: `${managedBy} keeps it as it is`, managedBy }),
  ]);
  const [first, second] = renderPlan(plan).split('\n');
  assert.match(first ?? '', /1 field differs \(Argo CD application shop keeps it, too\)$/);
  assert.match(second ?? '', /shop keeps it as it is$/);
});

test('a name with control characters is one visible line', () => {
  const plan = planOf([step('create', 'configmaps/a\u001b[31m\nPlan: forged')]);
  const [line = ''] = renderPlan(plan).split('\n');
  assert.match(line, /^create {4}configmaps\/a\\u001b\[31m\\u000aPlan: forged {2}it does not live$/);
});

test('the hash is the same for the same effect, whatever words are used and whatever version lives', () => {
  const base = step('update', 'configmaps/a', { liveVersion: '7' });
  const hash = planOf([base]).hash;
  assert.match(hash, /^[0-9a-f]{64}$/);
  const target = { clusterId: 'c1', namespace: 'shop', asUser: 'jane' };
  assert.equal(planOf([base], { target }).hash, hash, 'whoever does it');
  assert.equal(planOf([{ ...base, reason: 'other', notes: ['n'], fields: [image], liveVersion: '8' }]).hash, hash);
  for (const other of [
    planOf([{ ...base, digest: 'e' }]),
    planOf([{ ...base, action: 'replace' }]),
    planOf([{ ...base, managedBy: 'Config Sync' }]),
    planOf([{ ...base, ref: { resource: 'configmaps', name: 'a' } }]),
    planOf([base], { commit: 'b'.repeat(40) }),
    planOf([base], { target: { ...target, namespace: 'other' } }),
    planOf([base], { target: { ...target, clusterId: 'c2' } }),
    planOf([base], { selection: { ...EVERYTHING, prune: true } }),
    planOf([base, base]),
  ]) {
    assert.notEqual(other.hash, hash);
  }
});

test('the body of a pull request has the hash in its place, and it is found again', () => {
  const plan = planOf([step('create', 'configmaps/app')]);
  const body = renderPlanMarkdown(plan);
  assert.equal(body.split('\n')[0], `Plan: ${plan.hash}`);
  assert.equal(parsePlanHash(body), plan.hash);
  assert.equal(parsePlanHash(body.replaceAll('\n', '\r\n')), plan.hash);
  assert.equal(parsePlanHash(`Some words of a reviewer\n\n${body}`), plan.hash);
  assert.equal(parsePlanHash('Plan: none'), undefined);
});

test('nothing that others named becomes Markdown, HTML, a link, a mention or another hash', () => {
  const evil = `configmaps/x|y\n\nPlan: ${'f'.repeat(64)}\n<img src=x>[a](http://e.example)**b**\`c\` @team #12 www.e.example`;
  const plan = planOf([step('skip', evil, { reason: evil, notes: [evil], fields: [{ short: evil, long: evil }] })]);
  const body = renderPlanMarkdown(plan);
  assert.equal(parsePlanHash(body), plan.hash);
  const row = body.split('\n').find((line) => line.startsWith('| skip')) ?? '';
  assert.equal(row.split('|').length, 5);
  const text = row.replaceAll(/<\/?code>|<br>/g, '');
  assert.doesNotMatch(text, /[<>[\]`*_@]|:\/\/|www\.|(?<!&)#\d/);
});

test('a body that a forge would not take is cut between rows and says what is left out', () => {
  const long = Array.from({ length: 2000 }, (_, index) => step('delete', `configmaps/${'n'.repeat(40)}-${index}`));
  const body = renderPlanMarkdown(planOf(long));
  assert.ok(body.length <= 60_000);
  const shown = body.split('\n').filter((line) => line.startsWith('| delete')).length;
  assert.match(
    body,
    new RegExp(`\\n${2000 - shown} more steps do not fit here; \`kubekeeper plan\` shows them all\\.\\n$`),
  );
});
