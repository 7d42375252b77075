import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The processes of one control plane, held by a supervisor that outlives a killed test for just as long as it takes to end them. */
export interface ControlPlane extends AsyncDisposable {
  start(name: string): Promise<void>;
  /** Kills, as a crash would. */
  stop(name: string): Promise<void>;
  /** The end of a process's log, for errors. */
  log(name: string): Promise<string>;
}

export async function startControlPlane(
  directory: string,
  processes: Readonly<Record<string, readonly string[]>>,
): Promise<ControlPlane> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'supervisor.ts'), JSON.stringify({ directory, processes })],
    // A session of its own: a signal to the test's process group does not reach it, the closed pipe does.
    { stdio: ['pipe', 'pipe', 'inherit'], detached: true },
  );
  const answers = createInterface({ input: child.stdout });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const send = sender(child, answers, ended);
  return {
    start: (name) => send({ do: 'start', name }),
    stop: (name) => send({ do: 'stop', name }),
    log: async (name) => (await readFile(join(directory, `${name}.log`), 'utf8').catch(() => '')).slice(-4000),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** One command at a time, each answered by a line. */
function sender(child: ChildProcess, answers: ReturnType<typeof createInterface>, ended: Promise<void>) {
  return async (command: { do: string; name: string }): Promise<void> => {
    const answered = new Promise<void>((resolve) => answers.once('line', () => resolve()));
    child.stdin?.write(`${JSON.stringify(command)}\n`);
    const gone = ended.then(() => {
      throw new Error('the supervisor of the control plane ended');
    });
    await Promise.race([answered, gone]);
  };
}
