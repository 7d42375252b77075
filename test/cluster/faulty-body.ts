import { Transform, type TransformCallback } from 'node:stream';
import type { Action } from './fault.ts';

const NEWLINE = 0x0a;
const DRIBBLE_MS = 50;

/** The body of an answer on its way to the client, unbuffered, until its fault strikes. */
export class FaultyBody extends Transform {
  readonly #cut: () => void;
  #action: Action | undefined;
  /** Lines (or bytes) still let through before the action. */
  #left = 0;
  #atLineStart = true;
  /** Set while a line is being collected to be halved. */
  #halving: Buffer[] | undefined;
  #stalled = false;

  /** `cut` closes the connection to the client. */
  constructor(cut: () => void) {
    super();
    this.#cut = cut;
  }

  /** From here on: replaces what was planned. Strikes at once where a line has just ended. */
  strike(action: Action): void {
    this.#action = action;
    this.#left = limitOf(action);
    if (action.do === 'slow') return;
    if (this.#left === 0 && (this.#atLineStart || action.do === 'cut' || action.do === 'stall')) this.#act();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    // Never answered: the source is held by back pressure and both connections stay open.
    if (this.#stalled) return;
    if (this.#action?.do === 'slow') this.#dribble(chunk, this.#action.bytesPerSecond, callback);
    else {
      this.#pass(chunk);
      if (!this.#stalled) callback();
    }
  }

  override _flush(callback: TransformCallback): void {
    if (this.#stalled) return;
    if (this.#halving !== undefined) this.#pushHalf(Buffer.concat(this.#halving));
    callback();
  }

  #pass(chunk: Buffer): void {
    if (chunk.length === 0 || this.#stalled || this.destroyed) return;
    const offset = this.#offsetOfStrike(chunk);
    if (this.#halving !== undefined) this.#collect(this.#halving, chunk);
    else if (offset < 0) this.#forward(chunk);
    else {
      this.#forward(chunk.subarray(0, offset));
      this.#act();
      this.#pass(chunk.subarray(offset));
    }
  }

  #forward(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#atLineStart = chunk.at(-1) === NEWLINE;
    this.push(chunk);
  }

  /** How much of the chunk comes before the strike; -1 when all of it does. */
  #offsetOfStrike(chunk: Buffer): number {
    if (this.#action === undefined) return -1;
    if (this.#action.do === 'cut' && this.#action.afterBytes !== undefined) {
      const offset = this.#left <= chunk.length ? this.#left : -1;
      this.#left -= chunk.length;
      return offset;
    }
    // One that came in the middle of a line waits for its end.
    if (this.#left === 0) return this.#atLineStart ? 0 : chunk.indexOf(NEWLINE) + 1 || -1;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
      if (--this.#left === 0) return at + 1;
    }
    return -1;
  }

  #act(): void {
    const action = this.#action;
    this.#action = undefined;
    if (action?.do === 'stall') this.#stalled = true;
    else if (action?.do === 'truncate') this.#halving = [];
    else if (action?.do === 'cut') {
      this.#stalled = true;
      this.#cut();
    } else if (action?.do === 'inject') {
      this.push(`${typeof action.line === 'string' ? action.line : JSON.stringify(action.line)}\n`);
      if (action.end === true) this.#end();
    }
  }

  #collect(line: Buffer[], chunk: Buffer): void {
    const end = chunk.indexOf(NEWLINE);
    line.push(end < 0 ? chunk : chunk.subarray(0, end));
    if (end < 0) return;
    this.#pushHalf(Buffer.concat(line));
    this.#end();
  }

  #pushHalf(line: Buffer): void {
    this.#halving = undefined;
    this.push(line.subarray(0, Math.ceil(line.length / 2)));
  }

  #end(): void {
    this.#stalled = true;
    this.push(null);
  }

  #dribble(chunk: Buffer, bytesPerSecond: number, callback: TransformCallback): void {
    const piece = Math.max(1, Math.round((bytesPerSecond * DRIBBLE_MS) / 1000));
    this.#forward(chunk.subarray(0, piece));
    const rest = chunk.subarray(piece);
    const pause = (Math.min(piece, chunk.length) / bytesPerSecond) * 1000;
    setTimeout(() => {
      if (this.destroyed) return;
      // What struck meanwhile counts for the rest.
      if (rest.length === 0) callback();
      else this._transform(rest, 'binary', callback);
    }, pause);
  }
}

function limitOf(action: Action): number {
  if (action.do === 'cut' && action.afterBytes !== undefined) return action.afterBytes;
  return 'afterLines' in action ? (action.afterLines ?? 0) : 0;
}
