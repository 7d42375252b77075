import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkConfig } from './check-config.ts';
import { syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import { damaged, errnoOf, foreign } from './errors.ts';
import { isObjectId } from './object-id.ts';
import { isRefName } from './ref-name.ts';
import { MAIN, readRef } from './refs.ts';

/** Native clean-up is switched off: it must never run beside our writer, and we consolidate ourselves. */
const CONFIG = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[gc]
\tauto = 0
[maintenance]
\tauto = false
[receive]
\tautogc = false
`;

export function hasRepository(directory: string): boolean {
  return existsSync(join(directory, 'HEAD'));
}

/** What is left of a repository that lost its HEAD: it must not be taken for a place where there is none. */
export function isRuin(directory: string): boolean {
  return !hasRepository(directory) && ['objects', 'refs'].some((name) => existsSync(join(directory, name)));
}

/** Makes an empty bare repository appear at once and whole: built beside its place, synced, then renamed. */
export async function createRepository(directory: string): Promise<void> {
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    if (name.startsWith(leftoverPrefix(directory))) await rm(join(parent, name), { recursive: true });
  }
  const temporary = temporaryPath(parent, leftoverPrefix(directory));
  for (const path of ['objects/pack', 'objects/info', 'refs/heads', 'refs/tags']) {
    await mkdir(join(temporary, path), { recursive: true });
  }
  await writeSynced(join(temporary, 'config'), CONFIG);
  await writeSynced(join(temporary, 'HEAD'), 'ref: refs/heads/main\n');
  for (const path of ['objects', 'refs', '.']) await syncDirectory(join(temporary, path));
  await rename(temporary, directory).catch((error: unknown) => refuseOccupied(directory, temporary, error));
  await syncDirectory(parent);
}

function leftoverPrefix(directory: string): string {
  return `.${basename(directory)}.tmp_`;
}

async function refuseOccupied(directory: string, temporary: string, error: unknown): Promise<never> {
  await rm(temporary, { recursive: true });
  const code = errnoOf(error);
  if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
  throw foreign(directory, 'it exists and is no bare Git repository');
}

/** Throws REPOSITORY_FOREIGN for what our writer would break, REPOSITORY_DAMAGED when a part that must be there is missing or broken. */
export function checkLayout(directory: string): void {
  checkConfig(directory);
  for (const path of ['objects/pack', 'refs/heads']) {
    if (!statSync(join(directory, path), { throwIfNoEntry: false })?.isDirectory())
      throw damaged(directory, path, 'is missing');
  }
  checkHead(directory);
  const alternates = join(directory, 'objects', 'info', 'alternates');
  if (existsSync(alternates) && readFileSync(alternates, 'utf8').trim() !== '') {
    throw foreign(directory, 'it borrows objects from another repository (objects/info/alternates)');
  }
}

/** Whoever chose another branch has one; a HEAD that leads nowhere was changed on the disk. */
function checkHead(directory: string): void {
  if (!hasRepository(directory)) throw damaged(directory, 'HEAD', 'is missing');
  const head = readFileSync(join(directory, 'HEAD'), 'utf8').trimEnd();
  if (head === `ref: ${MAIN}`) return;
  const branch = /^ref: (refs\/.+)$/.exec(head)?.[1];
  const isThere = branch !== undefined && isRefName(branch) && readRef(directory, branch) !== undefined;
  if (isThere || isObjectId(head)) throw foreign(directory, 'its HEAD is not the branch main');
  throw damaged(directory, 'HEAD', head === '' ? 'is empty' : 'names no branch that is there');
}
