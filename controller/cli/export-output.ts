import { existsSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KeeperError } from '../errors.ts';

/** Where an export goes: it appears whole or not at all, and never over something else. */

export interface Output extends AsyncDisposable {
  /** `name` matters in a directory only. */
  write(name: string, bytes: string | Buffer): Promise<void>;
  /** Makes it appear. Without this, disposing leaves nothing behind. */
  keep(): Promise<void>;
}

export interface OutputOptions {
  readonly isDirectory: boolean;
  /** Only the owner may read it. */
  readonly isPrivate: boolean;
}

/** `-` is standard output. Throws USAGE_INVALID for a path that is taken or cannot be written. */
export async function openOutput(path: string, options: OutputOptions): Promise<Output> {
  if (path === '-')
    return { write: (_name, bytes) => print(bytes), keep: async () => {}, [Symbol.asyncDispose]: async () => {} };
  if (existsSync(path)) throw refused(path, 'it exists');
  try {
    return await (options.isDirectory ? openDirectory(path, options) : openFile(path, options));
  } catch (error) {
    throw translated(path, error);
  }
}

async function openFile(path: string, { isPrivate }: OutputOptions): Promise<Output> {
  const part = `${path}.part`;
  const file = await open(part, 'wx', isPrivate ? 0o600 : 0o666);
  return {
    write: (_name, bytes) => writeTo(path, file, bytes),
    keep: async () => {
      try {
        await file.sync();
        // Unlike a rename, this never takes another's place.
        await link(part, path);
      } catch (error) {
        throw translated(path, error);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await file.close();
      await rm(part, { force: true });
    },
  };
}

async function openDirectory(path: string, { isPrivate }: OutputOptions): Promise<Output> {
  const part = `${path}.part`;
  const files = new Map<string, FileHandle>();
  await mkdir(part, { mode: isPrivate ? 0o700 : 0o777 });
  const close = async () => {
    for (const file of files.values()) await file.close();
    files.clear();
  };
  return {
    write: async (name, bytes) => {
      const file = files.get(name) ?? (await open(join(part, name), 'wx', isPrivate ? 0o600 : 0o666));
      files.set(name, file);
      await writeTo(path, file, bytes);
    },
    keep: async () => {
      await close();
      await rename(part, path).catch((error: unknown) => {
        throw translated(path, error);
      });
    },
    [Symbol.asyncDispose]: async () => {
      await close();
      await rm(part, { recursive: true, force: true });
    },
  };
}

async function writeTo(path: string, file: FileHandle, bytes: string | Buffer): Promise<void> {
  try {
    await file.writeFile(bytes);
  } catch (error) {
    throw translated(path, error);
  }
}

async function print(bytes: string | Buffer): Promise<void> {
  if (process.stdout.write(bytes)) return;
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
}

function translated(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EEXIST') return refused(path, 'it, or its ".part", exists');
  return /^E[A-Z]+$/.test(code) ? refused(path, code) : error;
}

function refused(path: string, problem: string): KeeperError {
  return new KeeperError(`Cannot write "${path}": ${problem}; nothing was written, give another --output-file`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
  });
}
