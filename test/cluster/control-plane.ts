import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { SupervisorAnswer, SupervisorCommand } from './process-supervisor.ts';

/** The processes of one control plane, held by a supervisor that outlives a killed test for just as long as it takes to end them. */
export interface ControlPlane extends AsyncDisposable {
  /** Holds everything; removed at the end. */
  readonly directory: string;
  /** By name, `supervisor` among them. */
  readonly pids: Readonly<Record<string, number>>;
  /** Rejects when the program cannot be run. */
  start(name: string, command: readonly string[]): Promise<void>;
  /** Resolves when it is gone; killed after 10 s when the signal did not do. */
  stop(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** A program that is run at the end, also after a kill, when no process is left and before the folder goes. */
  finally(command: readonly string[]): Promise<void>;
  isRunning(name: string): boolean;
  /** The end of a process's log, for errors. */
  log(name: string): Promise<string>;
}

type Supervisor = ChildProcessByStdio<Writable, Readable, null>;

const LOG_TAIL = 4000;

/** `directory` is made here; it goes at the end, with `otherFiles`. */
export async function openControlPlane(directory: string, otherFiles: readonly string[] = []): Promise<ControlPlane> {
  const supervisor = spawn(
    process.execPath,
    [join(import.meta.dirname, 'process-supervisor.ts'), directory, ...otherFiles],
    // A session of its own: a signal to the test's process group does not reach it, the closed pipe does.
    { stdio: ['pipe', 'pipe', 'inherit'], detached: true, cwd: import.meta.dirname },
  );
  const ended = new Promise<void>((resolve) => supervisor.once('close', () => resolve()));
  const running = new Set<string>();
  const send = await converse(supervisor, running);
  const pids: Record<string, number> = { supervisor: supervisor.pid ?? 0 };
  return {
    directory,
    pids,
    start: async (name, command) => {
      running.add(name);
      pids[name] = (await send({ do: 'start', name, command })).pid ?? 0;
    },
    stop: async (name, signal = 'SIGKILL') => {
      await send({ do: 'stop', name, signal });
    },
    finally: async (command) => {
      await send({ do: 'finally', name: 'finally', command });
    },
    isRunning: (name) => running.has(name),
    log: async (name) => (await readFile(join(directory, `${name}.log`), 'utf8').catch(() => '')).slice(-LOG_TAIL),
    [Symbol.asyncDispose]: async () => {
      supervisor.stdin.end();
      await ended;
    },
  };
}

interface Pending {
  resolve(answer: { readonly pid?: number }): void;
  reject(error: Error): void;
}

/** Resolves when the supervisor is there, with what sends it a command; each is answered by its number. */
async function converse(supervisor: Supervisor, running: Set<string>) {
  const pending = new Map<number, Pending>();
  const wait = (id: number) =>
    new Promise<{ readonly pid?: number }>((resolve, reject) => pending.set(id, { resolve, reject }));
  createInterface({ input: supervisor.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as SupervisorAnswer;
    if ('ended' in answer) running.delete(answer.ended);
    else {
      const asked = pending.get(answer.id);
      pending.delete(answer.id);
      if (answer.error === undefined) asked?.resolve(answer);
      else asked?.reject(new Error(answer.error));
    }
  });
  const fail = () => {
    for (const { reject } of pending.values()) reject(new Error('the supervisor of the control plane ended'));
    running.clear();
  };
  supervisor.once('close', fail).once('error', fail);
  // Writing to one that ended: its end says it all.
  supervisor.stdin.on('error', fail);
  await wait(0);
  let last = 0;
  return (command: Omit<SupervisorCommand, 'id'>) => {
    const id = ++last;
    const answered = wait(id);
    supervisor.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    return answered;
  };
}
