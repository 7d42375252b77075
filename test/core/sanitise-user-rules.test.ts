import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRules } from '../../controller/core/sanitise.ts';
import { clean, object } from './builders.ts';

/** The user's own rules. */

test('a user’s rule strips, records and keeps, and the later of two decides', () => {
  const rule = (pointer: string, verdict: 'strip' | 'record' | 'keep', id: string) => ({
    id,
    resources: ['*.example.com'],
    pointer,
    verdict,
    reason: 'x',
  });
  const rules = compileRules([
    rule('/spec/*', 'strip', 'a'),
    rule('/spec/b', 'record', 'b'),
    rule('/spec/c', 'keep', 'c'),
    rule('/status', 'keep', 'd'),
  ]);
  const value = object('example.com/v1', 'Widget', { spec: { a: 1, b: 2, c: 3 }, status: { phase: 'x' } });
  const result = clean(value, 'widgets.example.com', rules);
  assert.deepEqual(result.object['spec'], { c: 3 });
  assert.deepEqual(result.object['status'], { phase: 'x' });
  assert.deepEqual(result.recorded.at(-1), { rule: 'b', pointer: '/spec/b', value: 2 });
  assert.equal(clean(value, 'widgets.example.org', rules).object['status'], undefined);
});

test('a user may keep a part of what is stripped', () => {
  const rules = compileRules([
    { id: 'mine', resources: ['*'], pointer: '/status/addresses/*/ip', verdict: 'keep', reason: 'x' },
  ]);
  const value = object('example.com/v1', 'Widget', {
    status: {
      phase: 'x',
      addresses: [
        { ip: '1', zone: 'a' },
        { ip: '2', zone: 'b' },
      ],
    },
  });
  assert.deepEqual(clean(value, 'widgets.example.com', rules).object['status'], {
    addresses: [{ ip: '1' }, { ip: '2' }],
  });
});

test('a user who strips a status has the word over what a built-in rule keeps of it, and who keeps it has all of it', () => {
  const job = object('batch/v1', 'Job', { status: { active: 0, conditions: [{ type: 'Complete', status: 'True' }] } });
  const stripping = (pointer: string) =>
    compileRules([{ id: 'mine', resources: ['jobs.batch'], pointer, verdict: 'strip', reason: 'x' }]);
  for (const pointer of ['/status', '/status/conditions', '/status/conditions/*'])
    assert.equal(clean(job, 'jobs.batch', stripping(pointer)).object['status'], undefined, pointer);
  const keeping = compileRules([
    { id: 'mine', resources: ['jobs.batch'], pointer: '/status', verdict: 'keep', reason: 'x' },
  ]);
  assert.deepEqual(clean(job, 'jobs.batch', keeping).object['status'], job['status']);
});

test('no rule of a user lays a secret open', () => {
  const rules = compileRules([
    { id: 'secret-values', resources: ['secrets'], pointer: '/data/*', verdict: 'keep', reason: 'x' },
    { id: 'mine', resources: ['secrets'], pointer: '/data/a', verdict: 'keep', reason: 'x' },
    {
      id: 'theirs',
      resources: ['widgets.example.com'],
      pointer: '/spec/login',
      verdict: 'keep',
      reason: 'x',
      secret: true,
    },
  ]);
  assert.deepEqual(clean(object('v1', 'Secret', { data: { a: 'eA==' } }), 'secrets', rules).secrets, ['/data/a']);
  const widget = object('example.com/v1', 'Widget', { spec: { login: { user: 'u', keys: ['k', 1] } } });
  assert.deepEqual(clean(widget, 'widgets.example.com', rules).secrets, [
    '/spec/login/user',
    '/spec/login/keys/0',
    '/spec/login/keys/1',
  ]);
});

test('pointers of secret and held values are those of the file, after elements before them went', () => {
  const rules = compileRules([
    {
      id: 'a',
      resources: ['*'],
      pointer: '/spec/list/*',
      verdict: 'strip',
      reason: 'x',
      when: { parts: { '/drop': ['true'] } },
    },
    { id: 'b', resources: ['*'], pointer: '/spec/list/*/key', verdict: 'keep', reason: 'x', secret: true },
    { id: 'c', resources: ['*'], pointer: '/spec/list/*/count', verdict: 'hold', reason: 'x' },
  ]);
  const list = [
    { drop: true, key: 'gone', count: 1 },
    { key: 'k1', count: 1 },
    { drop: true, key: 'gone' },
    { key: 'k2', count: 2 },
  ];
  const result = clean(object('example.com/v1', 'Widget', { spec: { list } }), 'widgets.example.com', rules);
  assert.deepEqual(result.secrets, ['/spec/list/0/key', '/spec/list/1/key']);
  assert.deepEqual(result.held, ['/spec/list/1/count', '/spec/list/0/count']);
});
