import { Lines } from './lines.ts';

/** A JSON document whose last field is a list that is written element by element, so that a reader need not wait for the end. */
export class JsonList {
  readonly #lines: Lines;
  #count = 0;

  /** `head` are the fields before the list, at least one. */
  constructor(head: Readonly<Record<string, unknown>>, name: string, lines = new Lines()) {
    this.#lines = lines;
    const fields = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
    this.#lines.write(`{\n${fields.join('')}  ${JSON.stringify(name)}: [`);
  }

  add(element: unknown): void {
    this.#lines.write(`${this.#count === 0 ? '' : ','}\n    ${JSON.stringify(element)}`);
    this.#count += 1;
  }

  end(): void {
    this.#lines.write(`${this.#count === 0 ? '' : '\n  '}]\n}\n`);
    this.#lines.end();
  }
}
