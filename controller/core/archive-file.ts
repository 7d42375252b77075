import { KeeperError } from '../errors.ts';
import { parseJson, renderJson } from './json.ts';
import { isJsonObject, type Json, objectAt, type ResourceName, stringAt } from './object.ts';

/** `.kubekeeper/archive.json`: what a repository says of itself, in every tree. docs/format.md is the specification. */

export const ARCHIVE_FILE = '.kubekeeper/archive.json';
const FORMAT_VERSION = 1;

export interface ArchiveFile {
  /** The uid of the namespace kube-system, or '' where it may not be read. */
  readonly clusterId: string;
  /** Absent in `_cluster`. */
  readonly namespace?: {
    readonly name: string;
    /** Whom this line of history belongs to; '' where it may not be read. */
    readonly uid: string;
    /** The mark of a later line; absent in the first. */
    readonly line?: string;
  };
  /** The API version in which each resource is archived: kept as long as the cluster serves it. */
  readonly resources: ReadonlyMap<ResourceName, string>;
  /** The version of the rules that made the tree. */
  readonly rules: string;
  /** The policy for secret values: fingerprint, encrypt or omit. */
  readonly secrets: string;
}

export function renderArchiveFile(file: ArchiveFile): string {
  const document: { [key: string]: Json } = {
    formatVersion: FORMAT_VERSION,
    clusterId: file.clusterId,
    resources: Object.fromEntries(file.resources),
    rules: file.rules,
    secrets: file.secrets,
  };
  if (file.namespace !== undefined) document['namespace'] = { ...file.namespace };
  return renderJson(document);
}

/** Parses the file of the repository at `where`. Throws KeeperError: a newer format is refused, so nothing of it is lost. */
export function parseArchiveFile(text: string, where: string): ArchiveFile {
  const document = parseDocument(text, where);
  const version = isJsonObject(document) ? document['formatVersion'] : undefined;
  if (typeof version !== 'number' || !isJsonObject(document)) throw unreadable(where);
  if (version > FORMAT_VERSION) {
    throw new KeeperError(
      `Cannot use "${where}": its format is version ${version} and this kubekeeper writes version ${FORMAT_VERSION}; nothing was changed, use a newer kubekeeper or another --data-dir`,
      { kind: 'invalid-input', code: 'REPOSITORY_TOO_NEW', details: { version } },
    );
  }
  const namespace = objectAt(document, 'namespace');
  const resources = Object.entries(objectAt(document, 'resources') ?? {});
  return {
    clusterId: stringAt(document, 'clusterId') ?? '',
    ...(namespace === undefined ? {} : { namespace: parseNamespace(namespace) }),
    resources: new Map(resources.map(([name, served]) => [name, String(served)])),
    rules: stringAt(document, 'rules') ?? '',
    secrets: stringAt(document, 'secrets') ?? '',
  };
}

function parseNamespace(namespace: Json): NonNullable<ArchiveFile['namespace']> {
  const line = stringAt(namespace, 'line');
  const named = { name: stringAt(namespace, 'name') ?? '', uid: stringAt(namespace, 'uid') ?? '' };
  return line === undefined ? named : { ...named, line };
}

function parseDocument(text: string, where: string): Json {
  try {
    return parseJson(text);
  } catch (cause) {
    throw unreadable(where, cause);
  }
}

function unreadable(where: string, cause?: unknown): KeeperError {
  return new KeeperError(
    `Cannot use "${where}": its ${ARCHIVE_FILE} is not one that kubekeeper wrote; nothing was changed, restore the file with git or use another --data-dir`,
    {
      kind: 'stalled',
      code: 'REPOSITORY_DAMAGED',
      details: { directory: where, file: ARCHIVE_FILE, problem: 'is not one that kubekeeper wrote' },
      cause,
    },
  );
}
