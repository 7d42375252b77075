import { lineMark } from '../core/line.ts';
import type { Cluster } from '../core/ports.ts';
import type { Unread } from './compare-live.ts';
import { type RetireHooks, type RetireParts, retireLine } from './lines-end.ts';
import { type ListParts, retakePartsOf } from './lines-list.ts';
import { DOUBT_LATE, DOUBT_NEW_LINE, Retake, type RetakeParts } from './lines-retake.ts';
import { type WhoseParts, whose } from './lines-whose.ts';
import type { Space } from './space.ts';

/**
 * A history belongs to the uid of its namespace. Where a namespace was deleted and made again, nothing of the new one goes to the old
 * line: before a window is committed that may hold something of it, the cluster is asked whose the namespace is. When it is another's, the
 * line turns: the old one ends with a commit, its repository gets a name of its own, a new one begins, and the namespace is listed
 * once more. Each step can be the last before a crash; the next start finds the uid again and does the rest.
 */

const ASK_AGAIN_MS = 1000;
/** Who comes while it is asked is asked for again; between one answer and the next no namespace is deleted and made again so often. */
const ROUNDS = 3;

export interface LinesParts extends WhoseParts, RetireParts, ListParts {
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

export interface LinesHooks extends RetireHooks {
  /** Before the new repository is opened. */
  readonly begin: (repository: string, uid: string, mark: string) => void;
  /** The new one is there. */
  readonly renewed: (repository: string) => void;
  /** The old one has its new name. */
  readonly ended: (endedLine: string) => Promise<void>;
  /** The windows of new lines may be closed. */
  readonly touched: () => void;
  readonly fail: (error: unknown) => void;
}

export class Lines implements AsyncDisposable {
  readonly #parts: LinesParts;
  readonly #hooks: LinesHooks;
  readonly #turning = new Set<Promise<void>>();
  readonly #retakes = new Map<Retake, Promise<void>>();
  #isPatient = true;

  constructor(parts: LinesParts, hooks: LinesHooks) {
    this.#parts = parts;
    this.#hooks = hooks;
  }

  /** May the window of this repository be committed? If not, it stays open, or its line turns. */
  async admits(space: Space): Promise<boolean> {
    if (!mustAsk(space)) return true;
    for (let round = 0; round < ROUNDS; round++) {
      const { newcomers } = space.line;
      const verdict = await whose(space, this.#parts, this.#isPatient);
      if (verdict.whose === 'another') {
        // Who is told to stop leaves it to the next start.
        if (!this.#parts.signal.aborted) this.#turn(space, verdict.uid);
        return false;
      }
      if (verdict.whose === 'not known yet') {
        space.retryAt = this.#parts.clock.monotonic() + ASK_AGAIN_MS;
        return false;
      }
      space.line.vouch(newcomers);
      if (!space.line.isDoubtful) break;
    }
    return true;
  }

  /** The run ends: what cannot be known now is not waited for. */
  hurry(): void {
    this.#isPatient = false;
  }

  /** At the end of a run: waits for lines that turn and their lists; answers whether there were any, whose windows can be closed now. */
  async settle(): Promise<boolean> {
    const isAny = this.#turning.size + this.#retakes.size > 0;
    await Promise.all(this.#turning);
    await Promise.all(this.#retakes.values());
    return isAny;
  }

  #turn(space: Space, uid: string): void {
    space.line.retake?.stop();
    const turning = this.#turnNow(space, uid).catch((error) => this.#hooks.fail(error));
    this.#turning.add(turning);
    void turning.then(() => this.#turning.delete(turning));
  }

  async #turnNow(space: Space, uid: string): Promise<void> {
    const { name } = space;
    const oldUid = space.line.uid;
    let oldLine: string | undefined;
    await this.#parts.spaces.renew(space, {
      work: async () => {
        oldLine = await retireLine(this.#parts, this.#hooks, space, uid);
        this.#hooks.begin(name, uid, lineMark(uid));
      },
      prepare: (next) => this.#retake(next),
    });
    this.#hooks.renewed(name);
    if (oldLine === undefined) return;
    this.#hooks.report({ type: 'new-line', repository: name, uid, oldUid, oldLine });
    await this.#hooks.ended(oldLine);
  }

  /** From its first moment on, the new line waits for its own lists. */
  #retake(space: Space): void {
    const { report } = this.#hooks;
    this.#begin(space, retakePartsOf(space, { ...this.#parts, doubt: DOUBT_NEW_LINE }, report), this.#parts.signal);
  }

  /**
   * Takes what lives there at the time of the call into the open window, whatever the watches have told by then; what they tell late is
   * passed over. Answers what could not be read; undefined when the signal cut it.
   */
  async reread(space: Space, signal: AbortSignal): Promise<readonly Unread[] | undefined> {
    const unread: Unread[] = [];
    const before = space.line.retake;
    const how = { ...this.#parts, once: true, doubt: before?.doubt ?? DOUBT_LATE };
    const parts = retakePartsOf(space, how, (outcome) => {
      if (outcome.type === 'skipped') unread.push(outcome);
    });
    const retake = this.#begin(space, parts, AbortSignal.any([signal, this.#parts.signal]));
    await retake.settled;
    if (retake.isComplete) return unread;
    // One that was cut never becomes complete, and nothing would be committed any more.
    if (space.line.retake === retake) space.line.retake = before;
    return undefined;
  }

  #begin(space: Space, parts: RetakeParts, signal: AbortSignal): Retake {
    const { touched, fail } = this.#hooks;
    const retake = new Retake(parts, signal);
    space.line.retake = retake;
    void retake.settled.then(touched);
    const ended = retake.ended.catch(fail).finally(() => this.#retakes.delete(retake));
    this.#retakes.set(retake, ended);
    return retake;
  }

  /** Waits for all that is under way, which the signal has cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#turning);
    for (const retake of this.#retakes.keys()) retake.stop();
    await Promise.all(this.#retakes.values());
  }
}

/** Deletions betray nothing, and who came before the last answer is known. */
function mustAsk({ line, namespaceUid, pending }: Space): boolean {
  if (line.uid === '' || !line.isDoubtful) return false;
  const isOther = namespaceUid !== undefined && namespaceUid !== '' && namespaceUid !== line.uid;
  return isOther || [...pending.values()].some(({ what }) => what !== 'deleted');
}
