import { spawn } from 'node:child_process';

/** Kills what it was told to watch as soon as its holder is gone, also when that was killed itself: a stopped process would stay for ever. */
export interface Guardian extends Disposable {
  watch(pid: number | undefined): void;
}

const PROGRAM = `
const pids = new Set();
let rest = '';
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\\n');
  rest = lines.pop();
  for (const line of lines) pids.add(Number(line));
});
process.stdin.on('close', () => {
  for (const pid of pids) try { process.kill(pid, 'SIGKILL'); } catch {}
});
`;

export function startGuardian(): Guardian {
  // A session of its own: a signal to the test's process group does not reach it, the closed pipe does.
  const child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
  child.unref();
  return {
    watch: (pid) => void child.stdin.write(`${pid ?? 0}\n`),
    [Symbol.dispose]: () => child.stdin.destroy(),
  };
}
