import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../controller/core/ports.ts';

/** A folder for credentials, gone with its holder. */
export class KeyFolder implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'kubekeeper-keys-'));
  #versions = 0;

  file(name: string, content: string | Buffer): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  /** Replaced in one step, as careful writers do. */
  replace(name: string, content: string): void {
    renameSync(this.file(`.${name}.new`, content), join(this.directory, name));
  }

  /** As the kubelet mounts a Secret, and swaps it: every key is a link through `..data`, which is a link to a folder. */
  mount(keys: Readonly<Record<string, string>>): string {
    const mounted = join(this.directory, 'mounted');
    const version = `..v${++this.#versions}`;
    mkdirSync(join(mounted, version), { recursive: true });
    for (const [key, value] of Object.entries(keys)) writeFileSync(join(mounted, version, key), value);
    symlinkSync(version, join(mounted, '..data_tmp'));
    const old = this.#versions === 1 ? undefined : readlinkSync(join(mounted, '..data'));
    renameSync(join(mounted, '..data_tmp'), join(mounted, '..data'));
    if (old === undefined) for (const key of Object.keys(keys)) symlinkSync(join('..data', key), join(mounted, key));
    else rmSync(join(mounted, old), { recursive: true });
    return mounted;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** Moves only when told. */
export class HandClock implements Clock {
  now = Date.now();
  elapsed = 1_000_000;

  wall(): number {
    return this.now;
  }

  monotonic(): number {
    return this.elapsed;
  }

  /** Both, as time does. */
  pass(ms: number): void {
    this.now += ms;
    this.elapsed += ms;
  }
}

export function rsaKey(): string {
  return pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
}

export function ecKey(): string {
  return pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

function pem(key: ReturnType<typeof generateKeyPairSync>['privateKey']): string {
  return (key as import('node:crypto').KeyObject).export({ type: 'pkcs8', format: 'pem' }).toString();
}
