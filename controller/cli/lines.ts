/**
 * Long results on standard output: the first line at once, what follows in quick succession in one piece, since a write costs more
 * than making a line.
 */
export class Lines {
  readonly #beforeWrite: () => void;
  #waiting = '';
  #timer: NodeJS.Timeout | undefined;

  /** `beforeWrite` takes away from the terminal what stands in the way. */
  constructor(beforeWrite: () => void = () => undefined) {
    this.#beforeWrite = beforeWrite;
  }

  /** Text with its line breaks. */
  write(text: string): void {
    this.#waiting += text;
    if (this.#timer === undefined || this.#waiting.length > MOST_WAITING) this.#flush();
    this.#timer ??= setTimeout(() => this.end(), TOGETHER_MS);
  }

  /** What is written after this goes out at once again. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flush();
  }

  #flush(): void {
    if (this.#waiting === '') return;
    this.#beforeWrite();
    process.stdout.write(this.#waiting);
    this.#waiting = '';
  }
}

const TOGETHER_MS = 50;
const MOST_WAITING = 64 * 1024;
