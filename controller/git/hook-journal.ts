import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeldPod, HookJournal } from '../core/data/hooks-journal.ts';
import { isJsonObject, stringAt } from '../core/object.ts';
import { KeeperError } from '../errors.ts';
import { removeFile, syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import { errnoOf, fileFailure } from './errors.ts';
import { makePrivate } from './private-directory.ts';

/** Pods that only we can let go, in the data directory: `hooks/UID.json`. Commands are not in it, since they may hold secrets. */

const DIRECTORY = 'hooks';
const FILE = /^([0-9a-zA-Z-]{1,64})\.json$/;
const LEFTOVER = '.tmp_';

export function openHookJournal(dataDirectory: string): HookJournal {
  const folder = join(dataDirectory, DIRECTORY);
  return {
    put: async ({ namespace, pod, uid }) => {
      const path = pathOf(folder, uid);
      try {
        await makePrivate(dataDirectory, [DIRECTORY]);
        const draft = temporaryPath(folder, LEFTOVER);
        await writeSynced(draft, `${JSON.stringify({ version: 1, namespace, pod, uid })}\n`, 0o600);
        await rename(draft, path);
        await syncDirectory(folder);
      } catch (error) {
        throw fileFailure(dataDirectory, `write ${DIRECTORY}`, error);
      }
    },
    remove: async (uid) => {
      const path = pathOf(folder, uid);
      try {
        await removeFile(path);
      } catch (error) {
        throw fileFailure(dataDirectory, `clear ${DIRECTORY}`, error);
      }
    },
    list: async () => {
      try {
        const entries: HeldPod[] = [];
        for (const name of await readdir(folder)) {
          if (name.startsWith(LEFTOVER)) await removeFile(join(folder, name));
          const uid = FILE.exec(name)?.[1];
          const entry = uid === undefined ? undefined : parse(uid, await readFile(join(folder, name), 'utf8'));
          if (entry !== undefined) entries.push(entry);
        }
        return entries;
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return [];
        throw fileFailure(dataDirectory, `read ${DIRECTORY}`, error);
      }
    },
  };
}

function pathOf(folder: string, uid: string): string {
  if (FILE.test(`${uid}.json`)) return join(folder, `${uid}.json`);
  throw new KeeperError('The uid of a pod is none that a file can have', { kind: 'defect', code: 'DEFECT' });
}

/** Undefined for what no kubekeeper wrote. */
function parse(uid: string, text: string): HeldPod | undefined {
  try {
    const entry: unknown = JSON.parse(text);
    if (!isJsonObject(entry)) return undefined;
    const [namespace, pod] = [stringAt(entry, 'namespace'), stringAt(entry, 'pod')];
    return namespace === undefined || pod === undefined ? undefined : { namespace, pod, uid };
  } catch {
    // Written by hand, or damaged: it names no pod.
    return undefined;
  }
}
