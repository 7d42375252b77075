import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import { damaged, errnoOf, foreign } from './errors.ts';

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

/** Throws REPOSITORY_FOREIGN for what our writer would break, REPOSITORY_DAMAGED when a part that must be there is missing. */
export function checkLayout(directory: string): void {
  for (const path of ['objects/pack', 'refs/heads']) {
    if (!statSync(join(directory, path), { throwIfNoEntry: false })?.isDirectory())
      throw damaged(directory, path, 'is missing');
  }
  const head = readFileSync(join(directory, 'HEAD'), 'utf8').trimEnd();
  if (head === '') throw damaged(directory, 'HEAD', 'is empty');
  checkConfig(directory);
  if (head !== 'ref: refs/heads/main') throw foreign(directory, 'its HEAD is not the branch main');
  const alternates = join(directory, 'objects', 'info', 'alternates');
  if (existsSync(alternates) && readFileSync(alternates, 'utf8').trim() !== '') {
    throw foreign(directory, 'it borrows objects from another repository (objects/info/alternates)');
  }
}

function checkConfig(directory: string): void {
  const path = join(directory, 'config');
  if (!existsSync(path)) throw damaged(directory, 'config', 'is missing');
  const settings = parseConfig(readFileSync(path, 'utf8'));
  const hash = settings.get('extensions.objectformat');
  if (hash !== undefined && hash !== 'sha1')
    throw foreign(directory, `its object format is ${hash}, kubekeeper writes sha1`);
  const refs = settings.get('extensions.refstorage');
  if (refs !== undefined && refs !== 'files')
    throw foreign(directory, `its refs are stored as ${refs}, kubekeeper writes files`);
  const version = settings.get('core.repositoryformatversion') ?? '0';
  if (version !== '0' && version !== '1')
    throw foreign(directory, `its format version is ${version}, kubekeeper knows 0 and 1`);
  for (const name of settings.keys()) {
    if (version === '1' && name.startsWith('extensions.') && !KNOWN_EXTENSIONS.has(name)) {
      throw foreign(directory, `it uses ${name}, which kubekeeper does not know`);
    }
  }
}

const KNOWN_EXTENSIONS = new Set(['extensions.objectformat', 'extensions.refstorage', 'extensions.noop']);

/** The plain settings of a Git configuration, names in lower case; subsections and includes are not looked at. */
function parseConfig(text: string): Map<string, string> {
  const settings = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n')) {
    const heading = /^\s*\[\s*([\w.-]+)\s*\]/.exec(line);
    if (heading !== null) section = heading[1] as string;
    else if (/^\s*\[/.test(line)) section = '';
    const setting = /^\s*(?:\[[^\]]*\])?\s*([\w-]+)\s*=\s*"?([^"#;]*)"?/.exec(line);
    if (setting === null || section === '') continue;
    settings.set(`${section}.${setting[1]}`.toLowerCase(), (setting[2] as string).trim().toLowerCase());
  }
  return settings;
}
