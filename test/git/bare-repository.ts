import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const AUTHOR = { name: 'kubekeeper', email: 'kubekeeper@example.com' };

/** A time that moves a second on with each call. */
export function clock(): () => Date {
  let seconds = 1_700_000_000;
  return () => new Date(seconds++ * 1000);
}

/** A place for one repository, and the real Git to judge it. */
export class Place implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'kubekeeper-git-'));
  readonly directory = join(this.root, 'shop.git');

  git(...args: string[]): string {
    return this.gitBytes(...args).toString('utf8');
  }

  gitBytes(...args: string[]): Buffer {
    return this.gitInput('', ...args);
  }

  /** With `input` on its standard input. */
  gitInput(input: string | Buffer, ...args: string[]): Buffer {
    return execFileSync('git', ['-C', this.directory, ...args], {
      input,
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    });
  }

  lines(...args: string[]): string[] {
    return this.git(...args)
      .split('\n')
      .filter((line) => line !== '');
  }

  /** Throws what `git fsck` has to say against the repository; unreachable objects are none of it. */
  fsck(): void {
    const said = this.lines('fsck', '--strict', '--full', '--no-dangling');
    assert.deepEqual(
      said.filter((line) => !line.startsWith('notice: ')),
      [],
    );
  }

  /** Every file of a commit with its blob. */
  tree(revision = 'main'): Map<string, string> {
    const files = new Map<string, string>();
    for (const line of this.git('ls-tree', '-r', '-z', revision).split('\0')) {
      const parts = /^100644 blob ([0-9a-f]{40})\t(.*)$/s.exec(line);
      if (parts !== null) files.set(parts[2] as string, parts[1] as string);
    }
    return files;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

/** A manifest as the archive writes it: like its neighbours, but never equal to one. */
export function manifest(name: string, version: number): string {
  const labels = { app: name, 'app.kubernetes.io/managed-by': 'test' };
  const env = Array.from({ length: 12 }, (_, i) => ({ name: `SETTING_${i}`, value: `${name}-${i}` }));
  const container = {
    env,
    image: `registry.example/${name}:${version}`,
    name: 'main',
    resources: { limits: { cpu: '1' } },
  };
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { labels, name, namespace: 'shop' },
    spec: { replicas: version % 5, selector: { matchLabels: labels }, template: { spec: { containers: [container] } } },
  };
  return `${JSON.stringify(object, null, 2)}\n`;
}
