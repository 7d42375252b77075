import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a driver really has, whatever the cluster believes: for finding leaks. */

export interface StoredVolume {
  readonly handle: string;
  /** NAMESPACE/NAME. */
  readonly claim: string;
  readonly bytes: number;
  readonly block: boolean;
  /** RFC 3339. */
  readonly created: string;
}

export interface StoredSnapshot extends StoredVolume {
  /** The handle of the volume that it was cut from, which may be gone. */
  readonly source: string;
  /** The handle of its group. */
  readonly group?: string;
}

type Record = StoredVolume & { readonly source?: string; readonly group?: string };

/** `folder` is the driver's. */
export async function readStored(
  folder: string,
): Promise<{ readonly volumes: readonly StoredVolume[]; readonly snapshots: readonly StoredSnapshot[] }> {
  const files = (await readdir(join(folder, 'records'))).filter((name) => name.endsWith('.json'));
  const records = await Promise.all(files.map((name) => readRecord(join(folder, 'records', name))));
  const there = records.filter((record) => record !== undefined);
  return {
    volumes: there.filter((record) => record.source === undefined),
    snapshots: there.filter((record): record is StoredSnapshot => record.source !== undefined),
  };
}

/** Undefined when it was removed since the folder was read. */
async function readRecord(path: string): Promise<Record | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as Record);
}
