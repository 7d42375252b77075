import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { renderLine } from '../../controller/telemetry/log.ts';

const time = new Date('2026-01-02T03:04:05.678Z');

test('on a terminal a line is for people', () => {
  const facts = { repository: 'shop', subject: 'web: image 1 -> 2', durationMs: 2.71, id: undefined };
  assert.equal(
    renderLine('info', 'committed', facts, time),
    '03:04:05 committed repository=shop subject="web: image 1 -> 2" durationMs=2.7',
  );
  assert.equal(renderLine('warn', 'held', { deletions: 7 }, time), '03:04:05 WARN held deletions=7');
});

test('text from the cluster cannot break a line or colour a terminal', () => {
  const line = renderLine('info', 'committed', { subject: 'a\nb\u001b[31m\u009b31m' }, time);
  assert.doesNotMatch(line, /\p{Cc}/u);
});

test('off a terminal each line is JSON with time, level and event, and only from the asked level on', async () => {
  const script = `
    import { openLog } from './controller/telemetry/log.ts';
    const log = openLog('info');
    log.write('debug', 'listed', { objects: 1 });
    log.write('warn', 'skipped', { resource: 'secrets', reason: 'line\\nbreak' });`;
  const { stderr, stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module-typescript',
    '-e',
    script,
  ]);
  assert.equal(stdout, '');
  const [line, ...rest] = stderr.trimEnd().split('\n');
  assert.deepEqual(rest, []);
  const { time: at, ...facts } = JSON.parse(line ?? '') as Record<string, unknown>;
  assert.match(String(at), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(facts, { level: 'warn', event: 'skipped', resource: 'secrets', reason: 'line\nbreak' });
});
