import { ARCHIVE_FILE, type ArchiveFile, parseArchiveFile } from '../core/archive-file.ts';
import { parseJson } from '../core/json.ts';
import { jsonProblem } from '../core/json-problem.ts';
import { manifestPath, parseManifestPath } from '../core/manifest.ts';
import type { Json, KubeObject, ResourceName } from '../core/object.ts';
import { manifestProblem } from '../core/restore/manifest-problem.ts';
import { oneLine } from '../core/words.ts';
import type { KeeperError } from '../errors.ts';
import { hostile } from '../git/errors.ts';
import type { ObjectId } from '../git/object-id.ts';
import { type Archive, type ArchiveEntry, entriesOf } from '../git/open-archive.ts';

/**
 * Reads a tree that anybody may have written. Only plain files at the paths of manifests are taken; what lies elsewhere is left alone and
 * named; whatever is there to deceive (links, odd paths, files that are not what their path says) refuses the whole repository.
 */

export interface ManifestEntry {
  readonly path: string;
  readonly resource: ResourceName;
  /** Undefined where the path was shortened: the file holds it. */
  readonly name: string | undefined;
  /** Of the blob: equal ids are equal files. */
  readonly id: ObjectId;
  /** The API version that the archive file names for the resource. */
  readonly version: string;
}

export interface ManifestTree {
  readonly file: ArchiveFile;
  /** In Git's order. */
  readonly entries: readonly ManifestEntry[];
  /** What lies beside the manifests and was not looked at: 'README.md', 'docs/'. */
  readonly ignored: readonly string[];
}

const MOST_FILES = 200_000;
const MOST_AT_THE_TOP = 10_000;
const [PLAIN, DIRECTORY] = ['100644', '40000'];
const [META, META_FILE] = ARCHIVE_FILE.split('/') as [string, string];

/** Throws REPOSITORY_HOSTILE, and REPOSITORY_FOREIGN's likes for what is no repository of ours. */
export function readManifestTree(archive: Archive, tree: ObjectId): ManifestTree {
  const refuse = (problem: string) => hostile(archive.directory, problem);
  const top = [...entriesOf(archive, tree)];
  if (top.length > MOST_AT_THE_TOP) throw refuse(`it has ${top.length} files and directories at its top`);
  for (const entry of top) requirePlain(entry, '', refuse);
  const file = readArchiveFile(archive, top, refuse);
  const entries: ManifestEntry[] = [];
  const ignored: string[] = [];
  for (const { name, mode, id } of top) {
    const version = mode === DIRECTORY ? file.resources.get(name) : undefined;
    if (version !== undefined) readDirectory({ archive, name, id, version, refuse }, entries);
    else if (name !== META) ignored.push(show(mode === DIRECTORY ? `${name}/` : name));
  }
  return { file, entries, ignored };
}

type Refuse = (problem: string) => KeeperError;

function readArchiveFile(archive: Archive, top: readonly ArchiveEntry[], refuse: Refuse): ArchiveFile {
  const directory = top.find(({ name, mode }) => name === META && mode === DIRECTORY);
  const entries = directory === undefined ? [] : [...entriesOf(archive, directory.id)];
  for (const entry of entries) requirePlain(entry, `${META}/`, refuse);
  const entry = entries.find(({ name, mode }) => name === META_FILE && mode === PLAIN);
  if (entry === undefined) throw refuse(`it has no ${ARCHIVE_FILE}`);
  const text = readText(archive, entry.id, ARCHIVE_FILE, refuse);
  const file = parseArchiveFile(text, archive.directory);
  const name = file.namespace?.name;
  if (name !== undefined && !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name))
    throw refuse(`its ${ARCHIVE_FILE} names the namespace ${JSON.stringify(name.slice(0, 80))}`);
  for (const [resource, version] of file.resources) {
    if (!/^[a-z0-9-]{1,63}(?:\.[a-z0-9.-]{1,253})?$/.test(resource) || !/^v\d[a-z0-9]{0,20}$/.test(version))
      throw refuse(`its ${ARCHIVE_FILE} names the resource ${JSON.stringify(`${resource} ${version}`.slice(0, 80))}`);
  }
  return file;
}

function readDirectory(
  at: {
    readonly archive: Archive;
    readonly name: ResourceName;
    readonly id: ObjectId;
    readonly version: string;
    readonly refuse: Refuse;
  },
  entries: ManifestEntry[],
): void {
  for (const entry of entriesOf(at.archive, at.id)) {
    requirePlain(entry, `${at.name}/`, at.refuse);
    const path = `${at.name}/${entry.name}`;
    const name = entry.mode === PLAIN ? nameIn(path, at.name) : undefined;
    if (name === undefined) throw at.refuse(`${show(path)} is no path of a manifest`);
    entries.push({ path, resource: at.name, name: name.whole, id: entry.id, version: at.version });
    if (entries.length > MOST_FILES) throw at.refuse(`it has more than ${MOST_FILES} files`);
  }
}

/** The object's name that the path stands for, if it is spelled as we spell it. */
function nameIn(path: string, resource: ResourceName): { whole: string | undefined } | undefined {
  const stem = path.slice(resource.length + 1, -'.json'.length);
  // A name that was shortened may end in the middle of an escaped byte.
  if (!/^(?:[A-Za-z0-9._-]|%[0-9A-F]{2})+(?:(?:%[0-9A-F]?)?~[0-9a-f]{32})?$/.test(stem)) return undefined;
  try {
    const name = parseManifestPath(path)?.name;
    if (stem.includes('~')) return { whole: undefined };
    if (name === undefined || manifestPath({ resource, name }) !== path) return undefined;
    return isObjectName(name) ? { whole: name } : undefined;
  } catch (error) {
    // Percent signs that encode no UTF-8.
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** As Kubernetes itself has it of names that are a part of a path: never a way to another object. All else but NUL is escaped on its way. */
function isObjectName(name: string): boolean {
  return name !== '.' && name !== '..' && !/[/%]/.test(name) && !name.includes('\0');
}

function requirePlain({ name, mode }: ArchiveEntry, prefix: string, refuse: Refuse): void {
  const path = show(prefix + name);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\\\u0000-\u001f\u007f]/.test(name)) throw refuse(`${path} is no path that Kubernetes or Git needs`);
  if (mode === PLAIN || mode === DIRECTORY) return;
  throw refuse(`${path} is ${MODES[mode] ?? `of the mode ${mode}`}`);
}

const MODES: Readonly<Record<string, string>> = {
  '120000': 'a symbolic link',
  '160000': 'a submodule',
  '100755': 'an executable file',
};

/** The object at an entry, which is the one that its path promises, and its text in Git. Throws REPOSITORY_HOSTILE. */
export function readManifest(
  archive: Archive,
  entry: ManifestEntry,
  file: ArchiveFile,
): { readonly object: KubeObject; readonly text: string } {
  const refuse = (problem: string) => hostile(archive.directory, problem);
  const text = readText(archive, entry.id, entry.path, refuse);
  const object = parse(text, entry.path, refuse);
  const problem = manifestProblem(object, entry, file);
  if (problem !== undefined) throw refuse(`${entry.path} ${problem}`);
  return { object: object as KubeObject, text };
}

function readText(archive: Archive, id: ObjectId, path: string, refuse: Refuse): string {
  const bytes = archive.store.readAs('blob', id);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse(`${path} is no UTF-8`);
  }
}

/** A parser's words are not told: they quote the text, which may hold a secret. */
function parse(text: string, path: string, refuse: Refuse): Json {
  const problem = jsonProblem(text);
  if (problem !== undefined) throw refuse(`${path} ${problem}`);
  try {
    return parseJson(text);
  } catch {
    throw refuse(`${path} is no JSON`);
  }
}

/** Names are bytes until they are shown. */
function show(path: string): string {
  return oneLine(Buffer.from(path, 'latin1').toString().slice(0, 300));
}
