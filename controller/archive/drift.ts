import { type FieldDifference, fieldDifferences } from '../core/history/field-difference.ts';
import type { FileVersions } from '../core/history/unified-diff.ts';
import type { ObjectRef } from '../core/object.ts';
import type { ScopeOptions } from '../core/scope.ts';
import { compileScope } from '../core/scope.ts';
import { readBranch } from '../git/load-branch.ts';
import { blobId, type ObjectId } from '../git/object-id.ts';
import { ObjectStore } from '../git/object-store.ts';
import { Repository } from '../git/repository.ts';
import { type LookParts, lookOnce, type Unread } from './compare-live.ts';
import { ComparedSpace, ComparedSpaces } from './compare-space.ts';
import { openSpace, type PendingChange } from './space.ts';

/** Live against restore points of any age, with the eyes of the archive: what it would write now, were that its newest commit. */

export interface DriftPoint {
  /** The namespace, or `_cluster`, that is looked at. */
  readonly name: string;
  /** Of the bare repository. */
  readonly directory: string;
  readonly commit: ObjectId;
}

/** From the restore point to live: what was added lives and is not in the point. */
export interface DriftedObject {
  readonly ref: ObjectRef;
  readonly path: string;
  readonly what: 'added' | 'removed' | 'changed';
  fields(): readonly FieldDifference[];
  versions(): FileVersions;
}

export interface Drift {
  readonly point: DriftPoint;
  /** By path. */
  readonly objects: readonly DriftedObject[];
  /** What could not be read, and may be different. */
  readonly unread: readonly Unread[];
  /** The uid that the archive names is that of another cluster. */
  readonly isOtherCluster: boolean;
}

export interface DriftParts extends Omit<LookParts, 'scope' | 'sealsAsArchived'> {
  /** Beside the namespaces, which are those of the points. */
  readonly scope: ScopeOptions;
  /** As `readClusterId` gives it. */
  readonly clusterId: string;
}

/** One look for all points; their namespaces differ. Throws KeeperError when the cluster cannot be reached or a repository not be read. */
export async function lookForDrift(points: readonly DriftPoint[], parts: DriftParts): Promise<readonly Drift[]> {
  await using spaces = await PointSpaces.openAt(points);
  const scope = compileScope({ ...parts.scope, namespaces: points.map(({ name }) => name), excludeNamespaces: [] });
  const look = await lookOnce(spaces, { ...parts, scope, sealsAsArchived: true });
  for (const error of spaces.unreadable.values()) throw error;
  return points.map((point) => {
    const space = spaces.at(point.name);
    const concerns = ({ namespace }: Unread) => namespace === undefined || namespace === point.name;
    return {
      point,
      objects: [...space.pending].map(([path, change]) => describe(space, path, change)).sort(byPath),
      unread: look.unread.filter(concerns),
      isOtherCluster: isOther(space.file?.clusterId ?? '', parts.clusterId),
    };
  });
}

function isOther(archived: string, clusterId: string): boolean {
  return archived !== '' && clusterId !== '' && archived !== clusterId;
}

/** Compared with one commit; the live text of what differs is kept, to be told field by field. */
class PointSpace extends ComparedSpace {
  readonly texts = new Map<string, string>();

  override stage(path: string, text: string, change: PendingChange): void {
    super.stage(path, text, change);
    this.texts.set(path, text);
  }

  override unstage(path: string): void {
    super.unstage(path);
    this.texts.delete(path);
  }
}

class PointSpaces extends ComparedSpaces {
  readonly #points = new Map<string, PointSpace>();

  static async openAt(points: readonly DriftPoint[]): Promise<PointSpaces> {
    const spaces = new PointSpaces('');
    for (const point of points) await spaces.#open(point);
    return spaces;
  }

  at(name: string): PointSpace {
    return this.#points.get(name) as PointSpace;
  }

  async #open({ name, directory, commit }: DriftPoint): Promise<void> {
    const store = new ObjectStore(directory, { distrusted: true });
    store.rescan();
    const repository = new Repository(store, readBranch(store, commit), { readOnly: true });
    const { file } = await openSpace(name, repository);
    const space = new PointSpace(name, repository, file);
    this.#points.set(name, space);
    this.spaces.set(name, space);
  }
}

function describe(space: PointSpace, path: string, { ref }: PendingChange): DriftedObject {
  const { repository } = space;
  const archived = repository.fileId(path);
  const live = space.texts.get(path);
  const before = () =>
    archived === undefined ? undefined : { id: archived, text: repository.store.readAs('blob', archived).toString() };
  return {
    ref,
    path,
    what: archived === undefined ? 'added' : live === undefined ? 'removed' : 'changed',
    fields: () => {
      const was = before();
      return was === undefined || live === undefined ? [] : fieldDifferences(was.text, live);
    },
    versions: () => ({
      path,
      before: before(),
      after: live === undefined ? undefined : { id: blobId(live), text: live },
    }),
  };
}

function byPath(left: DriftedObject, right: DriftedObject): number {
  return left.path < right.path ? -1 : 1;
}
