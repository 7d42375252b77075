import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CLEAN_ENVIRONMENT } from './git-backend.ts';
import { holdFolder } from './held-folder.ts';

const run = promisify(execFile);

/** The real Git as a client, in a folder of its own that goes with it: somebody else who works with the same remote. */
export class GitClient implements Disposable {
  readonly #folder = holdFolder('kubekeeper-client-');
  readonly directory = this.#folder.path;

  /** Answers what it prints; rejects with its standard error. */
  async git(...args: string[]): Promise<string> {
    const identity = ['-c', 'user.name=someone', '-c', 'user.email=someone@example.com'];
    const { stdout } = await run('git', ['-C', this.directory, ...identity, ...args], {
      maxBuffer: 256 * 1024 * 1024,
      env: { ...CLEAN_ENVIRONMENT, GIT_TERMINAL_PROMPT: '0' },
    });
    return stdout;
  }

  /** A work tree with one commit on main. */
  async init(files: Readonly<Record<string, string | Buffer>> = { 'a.json': '{}\n' }): Promise<string> {
    await this.git('init', '--quiet', '--initial-branch=main');
    return this.commit('first', files);
  }

  /** Answers the commit's id. */
  async commit(message: string, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(this.directory, name), content);
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--allow-empty', '-m', message);
    return (await this.git('rev-parse', 'HEAD')).trim();
  }

  /** Everything that the branch leads to, as one pack. */
  async pack(): Promise<Buffer> {
    const packing = run('git', ['-C', this.directory, 'pack-objects', '--revs', '--all', '--stdout', '--quiet'], {
      encoding: 'buffer',
      maxBuffer: 256 * 1024 * 1024,
      env: CLEAN_ENVIRONMENT,
    });
    packing.child.stdin?.end();
    const { stdout } = await packing;
    return stdout;
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}
