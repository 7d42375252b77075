import { difference } from '../core/diff.ts';
import type { Json, KubeObject } from '../core/object.ts';
import type { ManifestEntry } from './hostile.ts';
import type { RestorePoint } from './restore-point.ts';

/** What one commit did, to take it back: the restore point is the commit before it, and only what it touched is planned. */

export class Undo {
  readonly #before: ReadonlyMap<string, ManifestEntry>;
  readonly #after: ReadonlyMap<string, ManifestEntry>;
  readonly #point: RestorePoint;
  readonly #commit: RestorePoint;

  /** `point` is the commit before. */
  constructor(point: RestorePoint, commit: RestorePoint) {
    this.#point = point;
    this.#commit = commit;
    this.#before = new Map(point.entries.map((entry) => [entry.path, entry]));
    this.#after = new Map(commit.entries.map((entry) => [entry.path, entry]));
  }

  /** Did the commit change, make or delete it? */
  touched(path: string): boolean {
    return this.#before.get(path)?.id !== this.#after.get(path)?.id;
  }

  /** Is it of the commit's making? */
  made(path: string): boolean {
    return this.#after.has(path) && !this.#before.has(path);
  }

  /**
   * Pointers of what the commit changed in an object, list elements by name, without those that somebody has changed again since; undefined
   * where the commit deleted it, so that all of it comes back.
   */
  async fieldsOf(
    path: string,
    live: Json,
  ): Promise<{ readonly fields: readonly string[]; readonly since: readonly string[] } | undefined> {
    const [before, after] = [this.#before.get(path), this.#after.get(path)];
    if (before === undefined || after === undefined) return undefined;
    const [was, is]: [KubeObject, KubeObject] = [await this.#point.read(before), await this.#commit.read(after)];
    const changed = difference(was, is).map(({ pointer }) => pointer);
    const isAmong = (pointers: readonly string[]) => (pointer: string) =>
      pointers.some((other) => isWithin(pointer, other) || isWithin(other, pointer));
    const isLater = isAmong(difference(is, live).map(({ pointer }) => pointer));
    const isOpen = isAmong(difference(was, live).map(({ pointer }) => pointer));
    return {
      fields: changed.filter((pointer) => !isLater(pointer)),
      since: changed.filter((pointer) => isLater(pointer) && isOpen(pointer)),
    };
  }
}

function isWithin(pointer: string, other: string): boolean {
  return pointer === other || pointer.startsWith(`${other}/`);
}
