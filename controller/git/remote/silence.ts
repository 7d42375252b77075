/**
 * Notices that the other side of an exchange says nothing. It counts only while we wait: not while we make the next part
 * of what we send, nor while somebody works on what came. As long as we send, an answer need not go on.
 */
export class Silence {
  readonly #controller = new AbortController();
  readonly #reasonOf: (ms: number) => unknown;
  #timer: NodeJS.Timeout | undefined;
  #isSending = false;
  /** How long the answer's next part may take; undefined when nobody waits for it. */
  #patienceMs: number | undefined;

  /** `reasonOf` makes the reason that the signal is aborted with. */
  constructor(reasonOf: (ms: number) => unknown) {
    this.#reasonOf = reasonOf;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A part is on its way; it must be taken in this time. */
  sending(ms: number): void {
    this.#isSending = true;
    this.#wait(ms);
  }

  /** It was taken; the next one is being made. */
  taken(): void {
    this.#wait(undefined);
  }

  /** Everything was sent, or nobody wants it any more. */
  sent(): void {
    this.#isSending = false;
    this.#wait(this.#patienceMs);
  }

  /** The answer, or its next part, is waited for. */
  listening(ms: number): void {
    this.#patienceMs = ms;
    if (!this.#isSending) this.#wait(ms);
  }

  heard(): void {
    this.#patienceMs = undefined;
    if (!this.#isSending) this.#wait(undefined);
  }

  /** The exchange is over. */
  end(): void {
    this.#isSending = false;
    this.heard();
  }

  #wait(ms: number | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = ms === undefined ? undefined : setTimeout(() => this.#controller.abort(this.#reasonOf(ms)), ms);
  }
}
