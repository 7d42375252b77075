import { open } from 'node:fs/promises';
import type { KeeperError } from '../errors.ts';

/** A file that holds secrets of whoever runs us. */
export interface PrivateFile {
  readonly text: string;
  readonly warnings: readonly string[];
}

interface Options {
  /** 'identity file' */
  readonly what: string;
  /** Bytes. */
  readonly largest: number;
  /** Makes the error of a file that cannot be used; the problem goes on behind its name. */
  readonly invalid: (path: string, problem: string) => KeeperError;
}

/** Reads it whole, also from a pipe; one that others may read is told, not refused: a mounted Secret may be. */
export async function readPrivateFile(path: string, { what, largest, invalid }: Options): Promise<PrivateFile> {
  try {
    await using file = await open(path, 'r');
    const stat = await file.stat();
    if (stat.isDirectory()) throw invalid(path, 'is a directory');
    if (stat.size > largest) throw invalid(path, `is larger than ${largest} bytes`);
    const isOpen = stat.isFile() && (stat.mode & 0o044) !== 0;
    const text = (await file.readFile('utf8')).replace(/^\ufeff/, '');
    if (text.length > largest) throw invalid(path, `is larger than ${largest} bytes`);
    return { text, warnings: isOpen ? [`others may read the ${what} "${path}"; run: chmod 0600 ${path}`] : [] };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // Of the file system; our own errors have no errno.
    if (/^E[A-Z]+$/.test(code)) throw invalid(path, `cannot be read: ${code}`);
    throw error;
  }
}
