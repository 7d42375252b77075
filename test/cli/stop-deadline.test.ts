import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

/** What a polite stop does when something never ends. */

function startHanging(stopSoon: boolean) {
  const script = `
    import { enforceDeadline } from './controller/cli/stop-deadline.ts';
    import { Works } from './controller/core/works.ts';
    import { openLog } from './controller/telemetry/log.ts';
    const stop = new AbortController();
    const works = new Works(() => performance.now());
    works.begin('commit of shop');
    enforceDeadline(stop.signal, { log: openLog('info', false), works, afterMs: 200 });
    setInterval(() => undefined, 1000);
    process.on('SIGTERM', () => stop.abort());
    process.stdout.write('up');
    ${stopSoon ? 'stop.abort();' : 'setTimeout(() => process.exit(0), 600);'}`;
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('what never ends is cut off in time, said with what was under way, and is no success', async () => {
  const child = startHanging(true);
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk));
  const [code] = await once(child, 'close');
  const { time: _time, ...line } = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(line, { level: 'error', event: 'stop-cut', afterMs: 200, work: 'commit of shop' });
  assert.equal(code, 1);
});

test('without a signal nothing is cut off', async () => {
  const [code] = await once(startHanging(false), 'close');
  assert.equal(code, 0);
});
