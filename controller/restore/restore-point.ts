import type { ArchiveFile } from '../core/archive-file.ts';
import { CLUSTER_REPOSITORY, type KubeObject } from '../core/object.ts';
import type { PointData } from '../core/restore/volume-plan.ts';
import { readCommit } from '../git/commit-queue.ts';
import type { ObjectId } from '../git/object-id.ts';
import { openArchive } from '../git/open-archive.ts';
import { type DamagedTag, peelTags } from '../git/read-tag.ts';
import { selectPoint } from '../git/select-point.ts';
import { type Facts, readFacts } from './facts.ts';
import { type ManifestEntry, readManifest, readManifestTree } from './hostile.ts';
import { readPointData } from './point-data.ts';

/** A restore point: one commit of an archive, as something to restore from. */

export interface RestorePoint extends AsyncDisposable {
  /** Absolute path of the bare repository. */
  readonly directory: string;
  /** The namespace, or `_cluster`, whatever the directory is called. */
  readonly repository: string;
  readonly commit: ObjectId;
  /** When it was committed, to the second. */
  readonly time: Date;
  /** Their names, sorted. */
  readonly tags: readonly string[];
  /** Of the whole repository. */
  readonly damagedTags: readonly DamagedTag[];
  readonly file: ArchiveFile;
  /** By path, in Git's order. */
  readonly entries: readonly ManifestEntry[];
  /** What lies beside the manifests and was not looked at: 'README.md', 'docs/'. */
  readonly ignored: readonly string[];
  /** As it lies in Git, secret values sealed. Throws REPOSITORY_HOSTILE unless it is the object that its path promises. */
  read(entry: ManifestEntry): Promise<KubeObject>;
  /** The same, byte for byte. */
  text(entry: ManifestEntry): Promise<string>;
  /** What the commits know of these files; a path that was never seen to change is missing. */
  facts(paths: readonly string[]): Promise<ReadonlyMap<string, Facts>>;
  /** Of its claims. Throws REPOSITORY_HOSTILE for a note that no kubekeeper wrote. */
  data(): Promise<PointData>;
}

export interface RestorePointOptions {
  /** What `2h ago` counts from; the clock unless told. */
  readonly now?: Date;
}

/**
 * Opens a bare repository, ours or a clone, also beside a running archiver. `to` is a commit, a tag, a branch, a short id, or a time: the newest
 * commit at or before it. Throws USAGE_INVALID with the nearest tags, REPOSITORY_FOREIGN, REPOSITORY_DAMAGED, and REPOSITORY_HOSTILE for
 * one that nobody honest wrote; nothing of that is used.
 */
export async function openRestorePoint(
  directory: string,
  to: string,
  { now = new Date() }: RestorePointOptions = {},
): Promise<RestorePoint> {
  using opening = new DisposableStack();
  const archive = opening.use(await openArchive(directory));
  const commit = await selectPoint(archive, to, now);
  const { tree, time } = readCommit(archive.store, commit);
  const { file, entries, ignored } = readManifestTree(archive, tree);
  const tags = peelTags(archive);
  const open = opening.move();
  return {
    directory: archive.directory,
    repository: file.namespace?.name ?? CLUSTER_REPOSITORY,
    commit,
    time,
    tags: tags.byTarget.get(commit) ?? [],
    damagedTags: tags.damaged,
    file,
    entries,
    ignored,
    read: async (entry) => readManifest(archive, entry, file).object,
    text: async (entry) => readManifest(archive, entry, file).text,
    facts: (paths) => readFacts(archive, commit, paths),
    data: async () => readPointData(archive, commit),
    [Symbol.asyncDispose]: async () => open.dispose(),
  };
}
