interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
}

/**
 * Keeps what was used lately, bounded by the bytes held; what is alone larger than half of the bound stays until others
 * come. In two generations: when the young one is full it becomes the old one, whose values go unless they are used again.
 * That is nearly "least recently used first out", and costs one look instead of a reordering of thousands of entries.
 */
export class ByteCache<Value> {
  readonly #limit: number;
  #young = new Map<string, Entry<Value>>();
  #old = new Map<string, Entry<Value>>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.value;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#keep(key, old);
    return old.value;
  }

  set(key: string, value: Value, bytes: number): void {
    this.delete(key);
    this.#keep(key, { value, bytes });
  }

  delete(key: string): void {
    this.#old.delete(key);
    const entry = this.#young.get(key);
    if (entry === undefined) return;
    this.#young.delete(key);
    this.#bytes -= entry.bytes;
  }

  #keep(key: string, entry: Entry<Value>): void {
    if (this.#bytes + entry.bytes > this.#limit / 2 && this.#bytes > 0) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#bytes = 0;
    }
    this.#young.set(key, entry);
    this.#bytes += entry.bytes;
  }
}
