/** A JSON document whose last field is a list that is written element by element, so that a reader need not wait for the end. */
export class JsonList {
  #count = 0;

  /** `head` are the fields before the list, at least one. */
  constructor(head: Readonly<Record<string, unknown>>, name: string) {
    const fields = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
    process.stdout.write(`{\n${fields.join('')}  ${JSON.stringify(name)}: [`);
  }

  add(element: unknown): void {
    process.stdout.write(`${this.#count === 0 ? '' : ','}\n    ${JSON.stringify(element)}`);
    this.#count += 1;
  }

  end(): void {
    process.stdout.write(`${this.#count === 0 ? '' : '\n  '}]\n}\n`);
  }
}
