import { renderArchiveFile } from '../../controller/core/archive-file.ts';
import { renderJson } from '../../controller/core/json.ts';
import type { Json } from '../../controller/core/object.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, type Place } from '../git/bare-repository.ts';

/** Archives written by hand: as ours are, and as nobody honest writes them. */

export interface HandCommit {
  /** undefined deletes. */
  readonly files: Readonly<Record<string, string | undefined>>;
  readonly message?: string;
  readonly time?: string;
}

const RESOURCES = new Map([
  ['configmaps', 'v1'],
  ['deployments.apps', 'v1'],
  ['namespaces', 'v1'],
  ['secrets', 'v1'],
  ['services', 'v1'],
  ['widgets.shop.example', 'v1'],
]);

export function archiveFile(name: string | undefined = 'shop'): string {
  const namespace = name === '_cluster' ? {} : { namespace: { name, uid: 'uid-1' } };
  return renderArchiveFile({ clusterId: 'cluster-1', ...namespace, resources: RESOURCES, rules: '1', secrets: 'omit' });
}

export function configMap(name: string, data: Json = { a: '1' }): string {
  return renderJson({ apiVersion: 'v1', data, kind: 'ConfigMap', metadata: { name, namespace: 'shop' } });
}

/** Our own writer makes the commits; the archive file comes with the first. */
export async function commitAll(place: Place, commits: readonly HandCommit[]): Promise<readonly string[]> {
  await using repository = await openRepository(place.directory);
  const ids: string[] = [];
  if (repository.head === undefined) repository.stage('.kubekeeper/archive.json', archiveFile());
  for (const { files, message = 'changed\n\nResource-Version: 1\n', time = '2026-11-20T12:00:00Z' } of commits) {
    for (const [path, text] of Object.entries(files)) {
      if (text === undefined) repository.stageDeletion(path);
      else repository.stage(path, text);
    }
    const result = await repository.commit({ message, author: AUTHOR, time: new Date(time) });
    if (result === undefined) throw new Error('nothing was committed');
    ids.push(result.id);
  }
  return ids;
}

export interface HandEntry {
  readonly mode?: string;
  readonly name: string | Buffer;
  readonly id: string;
}

export function blobOf(place: Place, content: string | Buffer): string {
  return place.gitInput(content, 'hash-object', '-w', '--stdin').toString().trim();
}

/** A directory, byte for byte and in the order given, whatever Git thinks of it. */
export function treeOf(place: Place, entries: readonly HandEntry[]): string {
  const parts = entries.flatMap(({ mode = '100644', name, id }) => [
    Buffer.from(`${mode} `),
    Buffer.from(name),
    Buffer.alloc(1),
    Buffer.from(id, 'hex'),
  ]);
  return place
    .gitInput(Buffer.concat(parts), 'hash-object', '-t', 'tree', '-w', '--stdin', '--literally')
    .toString()
    .trim();
}

/** A commit of noon on the 19th of November 2026; no ref leads to it. */
export function commitOf(place: Place, tree: string, parents: readonly string[] = []): string {
  const who = 'a <a@example.com> 1795089600 +0000';
  const lines = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`];
  const text = `${lines.join('\n')}\n\nby hand\n`;
  return place.gitInput(text, 'hash-object', '-t', 'commit', '-w', '--stdin', '--literally').toString().trim();
}

/** An archive with one directory `configmaps` of these entries, and these beside it; sorted by name. */
export async function plant(
  place: Place,
  configmaps: readonly HandEntry[],
  top: readonly HandEntry[] = [],
  file = archiveFile(),
): Promise<void> {
  const repository = await openRepository(place.directory);
  await repository[Symbol.asyncDispose]();
  const own = treeOf(place, [{ name: 'archive.json', id: blobOf(place, file) }]);
  const entries = [
    { mode: '40000', name: '.kubekeeper', id: own },
    { mode: '40000', name: 'configmaps', id: treeOf(place, configmaps) },
    ...top,
  ];
  const sorted = entries.sort((left, right) => Buffer.compare(keyOf(left), keyOf(right)));
  place.git('update-ref', 'refs/heads/main', commitOf(place, treeOf(place, sorted)));
}

function keyOf({ name, mode }: HandEntry): Buffer {
  return Buffer.concat([Buffer.from(name), Buffer.from(mode === '40000' ? '/' : '')]);
}
