import type { FieldChange } from '../core/diff.ts';
import { type Actor, parseActors } from '../core/history/actors.ts';
import { fieldChanges, parse } from '../core/history/field-difference.ts';
import { type Json, type ObjectRef, renderRef } from '../core/object.ts';
import { commitsBetween } from '../git/ancestry.ts';
import { Breath } from '../git/breathe.ts';
import { ByteCache } from '../git/byte-cache.ts';
import { parseTrailers } from '../git/commit-object.ts';
import { type Commit, commitReader } from '../git/commit-queue.ts';
import { EMPTY_TREE, type ObjectId } from '../git/object-id.ts';
import type { ObjectCache } from '../git/object-store.ts';
import { type Beginning, selectBeginning, selectPoint } from '../git/select-point.ts';
import { volumesReader } from './commit-volumes.ts';
import { changedFiles, type FileChange, readingCache } from './files.ts';
import { refAt, type Wanted } from './objects.ts';
import type { History } from './open-history.ts';

/** What changed, commit by commit, newest first: told from the manifests themselves, since a commit's words are clipped. */

export interface CommitChanges {
  readonly id: ObjectId;
  /** The commit before; undefined for the first. */
  readonly parent: ObjectId | undefined;
  readonly time: Date;
  readonly subject: string;
  readonly tags: readonly string[];
  readonly actors: readonly Actor[];
  /** Whether each actor had a part in every object here: a commit of several objects does not say who changed which. */
  readonly areActorsSure: boolean;
  readonly objects: readonly ObjectChange[];
  /** What volume data it has, in words; read when it is asked. Undefined where it says nothing of volumes. */
  volumes(): string | undefined;
}

export interface ObjectChange {
  readonly ref: ObjectRef;
  readonly path: string;
  readonly what: 'created' | 'changed' | 'deleted' | 'recreated';
  /** Both versions are read when it is asked; empty but for what is there before and after. */
  fields(): readonly FieldChange[];
}

export interface Span {
  /** After this commit, tag or moment; from the first commit when left out. */
  readonly since?: string;
  /** Up to this commit, tag or moment; HEAD when left out. */
  readonly until?: string;
  readonly now: Date;
  /** Hears of long work: how many commits were looked at. */
  readonly onProgress?: (commits: number) => void;
}

/** Only commits that changed something that is wanted. Throws USAGE_INVALID for a span that the repository does not know. */
export async function* changes(history: History, wanted: Wanted, span: Span): AsyncGenerator<CommitChanges> {
  const { archive } = history;
  const until = span.until === undefined ? history.head : await selectPoint(archive, span.until, span.now);
  const since = span.since === undefined ? undefined : selectBeginning(archive, span.since, span.now);
  const read = commitReader(archive.store);
  const reader = new Reader(history, wanted, read);
  const breath = new Breath();
  let looked = 0;
  for (const commit of commitsBetween(archive.store, since?.commit, until, read)) {
    if (isBefore(commit, since)) return;
    span.onProgress?.(++looked);
    const told = reader.read(commit);
    if (told.objects.length > 0) yield told;
    await breath.take();
  }
}

/** Of a span by commits the walk itself knows the end. */
function isBefore({ time }: Commit, since: Beginning | undefined): boolean {
  return since !== undefined && since.commit === undefined && time < since.time;
}

/** Parsed manifests that are kept, and how much more room they take than their text. */
const PARSED_BYTES = 16 * 1024 * 1024;
const PARSED = 10;

class Reader {
  readonly #history: History;
  readonly #wanted: Wanted;
  readonly #readCommit: (id: ObjectId) => Commit;
  readonly #volumes: (commit: Commit) => string | undefined;
  readonly #cache: ObjectCache = readingCache();
  readonly #manifests = new ByteCache<Json>(PARSED_BYTES);
  /** Which object has a path is the same in all its versions. */
  readonly #refs = new Map<string, ObjectRef>();

  constructor(history: History, wanted: Wanted, readCommit: (id: ObjectId) => Commit) {
    this.#history = history;
    this.#wanted = wanted;
    this.#readCommit = readCommit;
    this.#volumes = volumesReader(history.archive);
  }

  read(commit: Commit): CommitChanges {
    const trailers = parseTrailers(commit.message);
    const recreated = new Set(trailers.filter(({ key }) => key === 'Recreated').map(({ value }) => value));
    const actors = parseActors(trailers);
    const objects = this.#files(commit, (resource) => this.#wanted.mayBeOf(resource))
      .map((file) => ({ file, ref: this.#ref(file) }))
      .filter(({ ref }) => this.#wanted.includes(ref))
      .map(({ file, ref }) => this.#tell(file, ref, recreated));
    return {
      id: commit.id,
      parent: commit.parents[0],
      time: commit.time,
      subject: commit.message.split('\n', 1)[0] as string,
      tags: this.#history.tags.get(commit.id) ?? [],
      actors,
      areActorsSure: actors.length < 2 || this.#files(commit, () => true).length < 2,
      objects,
      volumes: () => this.#volumes(commit),
    };
  }

  /** Against the archive's own line; what a merge took over as it was on its other side was changed there. */
  #files({ tree, parents }: Commit, wants: (resource: string) => boolean): readonly FileChange[] {
    const { archive } = this.#history;
    const against = (parent: ObjectId | undefined) => {
      const before = parent === undefined ? EMPTY_TREE : this.#readCommit(parent).tree;
      return changedFiles(archive, [before, tree], wants, this.#cache);
    };
    const [first, ...others] = parents;
    let files = against(first);
    for (const other of others) {
      const changed = new Set(against(other).map(({ path }) => path));
      files = files.filter(({ path }) => changed.has(path));
    }
    return files;
  }

  #ref(file: FileChange): ObjectRef {
    const known = this.#refs.get(file.path);
    if (known !== undefined) return known;
    const ref = refAt(this.#history, file, () => file.after ?? file.before);
    this.#refs.set(file.path, ref);
    return ref;
  }

  #tell({ path, before, after }: FileChange, ref: ObjectRef, recreated: ReadonlySet<string>): ObjectChange {
    const changed = recreated.has(renderRef(ref)) ? 'recreated' : 'changed';
    const what = before === undefined ? 'created' : after === undefined ? 'deleted' : changed;
    const fields = () =>
      before === undefined || after === undefined ? [] : fieldChanges(this.#manifest(before), this.#manifest(after));
    return { ref, path, what, fields };
  }

  /** Each version is asked for twice: as what came and as what went. */
  #manifest(id: ObjectId): Json | undefined {
    const known = this.#manifests.get(id);
    if (known !== undefined) return known;
    const bytes = this.#history.archive.store.readAs('blob', id, this.#cache);
    const manifest = parse(bytes.toString());
    if (manifest !== undefined) this.#manifests.set(id, manifest, PARSED * bytes.length);
    return manifest;
  }
}
