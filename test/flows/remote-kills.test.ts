import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CLEAN_ENVIRONMENT } from '../remote/git-backend.ts';
import { type GitServer, startGitServer } from '../remote/git-server.ts';

/** KUBEKEEPER_KILLS=1000 for the long form. */
const KILLS = Number(process.env['KUBEKEEPER_KILLS'] ?? 60);
const CHILD = fileURLToPath(import.meta.resolve('./pushing-child.ts'));

/** Each with a disk and a remote of its own: starting a process is most of the work, and machines have two cores. */
const SIDE_BY_SIDE = 2;

interface Life {
  readonly promised: number;
  readonly pushes: number;
  /** The remote had more than was noted here. */
  readonly isMidPush: boolean;
}

test(`of ${KILLS} archivers killed while they committed, tagged, noted and pushed, none lost a commit or left what Git complains of`, async (context) => {
  const lives: Life[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: SIDE_BY_SIDE }, async () => {
      await using victim = await Victim.create();
      while (next < KILLS) lives.push(await victim.live(next++));
      assert.equal(victim.remote('for-each-ref', '--format=%(refname)', 'refs/heads'), 'refs/heads/main');
    }),
  );
  const sum = (count: (life: Life) => number) => lives.reduce((all, life) => all + count(life), 0);
  const [promised, pushes] = [sum((life) => life.promised), sum((life) => life.pushes)];
  assert.ok(promised > KILLS && pushes > KILLS / 4, `${promised} commits, ${pushes} pushes`);
  context.diagnostic(
    `${promised} commits, ${pushes} pushes, ${sum(({ isMidPush }) => Number(isMidPush))} kills between a push and its note of it`,
  );
});

/** A disk and a remote that one archiver after the other works with. */
class Victim implements AsyncDisposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'kubekeeper-kills-'));
  readonly #directory = join(this.#root, 'shop.git');
  readonly #server: GitServer;

  private constructor(server: GitServer) {
    this.#server = server;
  }

  static async create(): Promise<Victim> {
    const server = await startGitServer();
    server.createRepository('ops/prod-shop');
    return new Victim(server);
  }

  remote(...args: string[]): string {
    return this.#server.git('ops/prod-shop', ...args).trim();
  }

  #local(...args: string[]): string {
    return git(this.#directory, ...args);
  }

  /** One archiver, from its start to its kill, and what must be true afterwards. */
  async live(kill: number): Promise<Life> {
    const said = await runUntilKilled(this.#directory, this.#server.url, kill);
    const acknowledged = said.filter((line) => line.length === 40);
    const stalls = said.filter((line) => line.startsWith('stalled '));
    assert.deepEqual(stalls, [], `in life ${kill}`);
    const life = { promised: acknowledged.length, pushes: said.filter((line) => line.startsWith('pushed ')).length };
    if (!existsSync(join(this.#directory, 'HEAD'))) return { ...life, isMidPush: false };
    fsck((...args) => this.#local(...args), `local, kill ${kill}`);
    await fsckOnceIdle((...args) => this.remote(...args), `remote, kill ${kill}`);
    const reachable = new Set(acknowledged.length === 0 ? [] : this.#local('rev-list', 'main').split('\n'));
    const lost = acknowledged.filter((id) => !reachable.has(id));
    assert.deepEqual(lost, [], `lost by kill ${kill}`);
    const theirs = this.remote('for-each-ref', '--format=%(objectname)', 'refs/heads/main');
    if (theirs === '') return { ...life, isMidPush: false };
    assert.equal(this.#local('merge-base', theirs, 'main'), theirs, `after kill ${kill} the remote is no past of ours`);
    const left = this.#local('for-each-ref', '--format=%(objectname)', 'refs/remotes/origin/main');
    return { ...life, isMidPush: left !== theirs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#root, { recursive: true, force: true });
    await this.#server[Symbol.asyncDispose]();
  }
}

/** What it printed, which is less than it did, never more. */
async function runUntilKilled(directory: string, url: string, seed: number): Promise<string[]> {
  const child: ChildProcess = spawn(process.execPath, [CHILD, directory, url, `${seed}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const closed = once(child, 'close');
  // In its first moments, in the middle of the first push, or in that of a later one.
  const reached = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.split('\npushed ').length > seed % 3) resolve();
    });
  });
  await Promise.race([reached, closed]);
  await sleep((seed * 37) % 100);
  child.kill('SIGKILL');
  const [code, signal] = await closed;
  assert.equal(signal, 'SIGKILL', `the archiver ended by itself with ${code}`);
  return printed.split('\n');
}

/** A backend may still be moving in what the killed one had sent, and Git's check looks at one directory after the other. */
async function fsckOnceIdle(run: (...args: string[]) => string, where: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return fsck(run, where);
    } catch (error) {
      if (attempt === 50) throw error;
      await sleep(100);
    }
  }
}

function fsck(run: (...args: string[]) => string, where: string): void {
  const said = run('fsck', '--strict', '--full', '--no-dangling').split('\n');
  assert.deepEqual(
    said.filter((line) => line !== '' && !line.startsWith('notice: ')),
    [],
    where,
  );
}

function git(directory: string, ...args: string[]): string {
  const options = { encoding: 'utf8', env: CLEAN_ENVIRONMENT, maxBuffer: 2 ** 28 } as const;
  return execFileSync('git', ['-C', directory, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
