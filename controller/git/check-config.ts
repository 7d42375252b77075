import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { damaged, foreign } from './errors.ts';

/** The repository's `config`: what our writer relies on, and what would break it. */

const KNOWN_EXTENSIONS = new Set(['extensions.objectformat', 'extensions.refstorage', 'extensions.noop']);
const TRUE = new Set(['true', 'yes', 'on', '1']);
const FALSE = new Set(['false', 'no', 'off', '0']);

/** Throws REPOSITORY_FOREIGN for what our writer would break, REPOSITORY_DAMAGED for a file that Git did not write. */
export function checkConfig(directory: string): void {
  const settings = readConfig(directory);
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
  requireBare(directory, settings.get('core.bare'));
}

/** Every bare repository says that it is one, so silence is damage. */
function requireBare(directory: string, bare: string | undefined): void {
  if (bare !== undefined && TRUE.has(bare)) return;
  if (bare !== undefined && FALSE.has(bare)) throw foreign(directory, 'it is not a bare one (core.bare)');
  throw damaged(directory, 'config', 'does not say that the repository is bare');
}

/** Settings that keep Git's own clean-up away from a running writer, and are not as we wrote them. */
export function laxSettings(directory: string): readonly string[] {
  const settings = readConfig(directory);
  const isOff = (name: string, off: ReadonlySet<string>) => off.has(settings.get(name) ?? 'unset');
  return [
    ...(isOff('gc.auto', new Set(['0'])) ? [] : ['gc.auto = 0']),
    ...(isOff('maintenance.auto', FALSE) ? [] : ['maintenance.auto = false']),
    ...(isOff('receive.autogc', FALSE) ? [] : ['receive.autogc = false']),
  ];
}

function readConfig(directory: string): Map<string, string> {
  const path = join(directory, 'config');
  if (!existsSync(path)) throw damaged(directory, 'config', 'is missing');
  return parseConfig(directory, readFileSync(path, 'utf8'));
}

/** The plain settings of a Git configuration, names in lower case; subsections and includes are not looked at. */
function parseConfig(directory: string, text: string): Map<string, string> {
  const settings = new Map<string, string>();
  let section = '';
  // A line that ends in a backslash goes on in the next one (git-config).
  for (const line of text.replace(/\\\n/g, '').split('\n')) {
    const [, plain, subsection, rest = ''] = /^\s*(?:\[([\w.-]+)( ".*")?\])?(.*)$/.exec(line) ?? [];
    if (plain !== undefined) section = subsection === undefined ? plain : '';
    if (/^\s*(?:[#;].*)?$/.test(rest)) continue;
    const [, name, value = 'true'] = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*?)\s*)?$/.exec(rest) ?? [];
    if (name === undefined) throw damaged(directory, 'config', 'has a line that is no setting');
    const bare = value.replace(/\s*[#;].*$/, '').replace(/^"(.*)"$/, '$1');
    if (section !== '') settings.set(`${section}.${name}`.toLowerCase(), bare.trim().toLowerCase());
  }
  return settings;
}
