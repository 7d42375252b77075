export const FILE = '100644';
const DIRECTORY = '40000';
const BLANK = 0x20;
const ID_BYTES = 20;

/**
 * Goes over the entries of a tree as Git stores it, byte for byte, without an object for any of them: trees of ten thousand
 * entries come by the thousand when a whole history is looked at.
 */
export class TreeCursor {
  /** In octal, as it stands there. */
  mode = '';
  /** Where the name begins and ends. */
  start = 0;
  end = 0;
  readonly #raw: Buffer;
  #next = 0;

  constructor(raw: Buffer) {
    this.#raw = raw;
  }

  /** Moves to the next entry; false behind the last one. Throws a RangeError where the tree ends inside one. */
  next(): boolean {
    const raw = this.#raw;
    const at = this.#next;
    if (at >= raw.length) return false;
    const blank = raw[at + FILE.length] === BLANK ? at + FILE.length : raw.indexOf(BLANK, at);
    let end = blank + 1;
    while (end < raw.length && raw[end] !== 0) end += 1;
    if (blank < 0 || end + ID_BYTES >= raw.length) throw new RangeError('The tree ends inside an entry');
    this.mode = this.#modeAt(at, blank);
    this.start = blank + 1;
    this.end = end;
    this.#next = end + 1 + ID_BYTES;
    return true;
  }

  get isDirectory(): boolean {
    return this.mode === DIRECTORY;
  }

  /** A commit of another repository, which needs not be here. */
  get isSubmodule(): boolean {
    return this.mode === '160000';
  }

  /** Byte for byte, as latin1. */
  get name(): string {
    return this.#raw.toString('latin1', this.start, this.end);
  }

  /** Where the twenty bytes of the id begin. */
  get idAt(): number {
    return this.end + 1;
  }

  get id(): string {
    return this.#raw.toString('hex', this.idAt, this.idAt + ID_BYTES);
  }

  /** Nearly every entry is a plain file: no text is made for those. */
  #modeAt(start: number, end: number): string {
    if (end - start !== FILE.length) return this.#raw.toString('latin1', start, end);
    for (let i = 0; i < FILE.length; i++) {
      if (this.#raw[start + i] !== FILE.charCodeAt(i)) return this.#raw.toString('latin1', start, end);
    }
    return FILE;
  }
}
