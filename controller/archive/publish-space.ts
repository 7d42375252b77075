import { KeeperError } from '../errors.ts';
import { isAncestor } from '../git/ancestry.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Repository } from '../git/repository.ts';
import { branchGone, noAnswer } from './publish-errors.ts';
import { describeDiverged, forgetJoined, keepForeign } from './publish-foreign.ts';
import { join } from './publish-join.ts';
import type { Lane, Stall } from './publish-lane.ts';
import { countCommits, isMerged, isOurPast, isOwn } from './publish-line.ts';
import { look } from './publish-look.ts';
import { type PublishParts, TRANSFER_LIMIT_MS } from './publish-parts.ts';
import { forgetProposals, isProposed, keepProposals, unknownProposals } from './publish-proposed.ts';
import { MAIN, sideTrackings, TRACKING, trackingOf } from './publish-refs.ts';
import { timeLimit } from './publish-timer.ts';
import { planUpdates, type Updates } from './publish-updates.ts';
import type { Advertisement, RefUpdate, Transferred } from './remote-port.ts';

export interface Published {
  /** The remote's `main` is not ours to move: ours are at a side branch, and a person must decide. */
  readonly stall: Stall | undefined;
  /** What is not as it should be and holds up nothing. */
  readonly warning: string | undefined;
}

/**
 * One try: look at what the remote has, find out whether its `main` is ours to move, push what it lacks, write down where it was
 * left. Whatever was committed until then goes along in the order in which it was committed.
 */
export async function publishSpace(
  parts: PublishParts,
  lane: Lane,
  repository: Repository,
  signal: AbortSignal,
): Promise<Published> {
  if (repository.head === undefined) return { stall: undefined, warning: undefined };
  return await new Try(parts, lane, repository, signal).run();
}

class Try {
  readonly #parts: PublishParts;
  readonly #lane: Lane;
  readonly #repository: Repository;
  readonly #signal: AbortSignal;

  constructor(parts: PublishParts, lane: Lane, repository: Repository, signal: AbortSignal) {
    this.#parts = parts;
    this.#lane = lane;
    this.#repository = repository;
    this.#signal = signal;
  }

  async run(): Promise<Published> {
    const started = this.#parts.clock.monotonic();
    const seen = await look(this.#parts, this.#lane, this.#repository, this.#signal);
    if (await this.#isAnotherLine(seen)) return await this.run();
    const setBack = this.#describeSetBack(seen);
    const isMainOurs = await this.#takeCourse(seen);
    this.#lane.take();
    const plan = planUpdates(this.#repository, seen, { cluster: this.#parts.cluster, isMainOurs });
    const pushed = await this.#push(seen, plan.updates);
    await this.#remember(plan, isMainOurs);
    // Sent by a try whose answer was lost: it is there all the same, and somebody counts what waits.
    const isNews = pushed !== undefined || this.#lane.waitingSince !== undefined;
    if (isNews) this.#report(plan, pushed?.bytes ?? 0, this.#parts.clock.monotonic() - started);
    if (isMainOurs) await forgetProposals(this.#repository, seen);
    if (isMainOurs) await this.#protect();
    return {
      stall: isMainOurs ? undefined : this.#describeStall(seen, plan),
      warning: setBack ?? describeClashes(plan),
    };
  }

  /** Before our first push, a history that is not here may be that of a namespace which had the name before; nothing of it is fetched. */
  async #isAnotherLine(seen: Advertisement): Promise<boolean> {
    const theirs = seen.refs.get(MAIN);
    if (theirs === undefined || this.#repository.ref(TRACKING) !== undefined) return false;
    if (this.#repository.store.has(theirs)) return false;
    using limit = this.#limit();
    return (await this.#parts.part?.(this.#lane.name, theirs, limit.signal)) ?? false;
  }

  /**
   * True when the remote's `main` may be moved to ours. What others put there is fetched and kept first. It becomes part of ours
   * when a person merged our side branch or a restore that we proposed into it, or when an earlier life of this archive made it, whose
   * disk was lost while the remote could not be reached. After our first look nobody but us may be us: then it is a second writer, and
   * a person must know.
   */
  async #takeCourse(seen: Advertisement): Promise<boolean> {
    const theirs = seen.refs.get(MAIN);
    const left = this.#repository.ref(TRACKING);
    if (theirs === undefined) {
      if (left !== undefined) throw branchGone(this.#lane.name, this.#place, left);
      return true;
    }
    if (left !== undefined) await this.#keepProposals(seen);
    if (theirs === left) return true;
    if (theirs === this.#lane.foreign) return false;
    if (isOurPast(this.#repository, theirs)) return true;
    if (!this.#repository.store.has(theirs)) await this.#fetch([theirs]);
    if (await isProposed(this.#repository, theirs)) {
      await join(this.#parts, this.#lane.name, this.#repository, theirs);
      return true;
    }
    await keepForeign(this.#repository, theirs);
    const isEarlierLife = !this.#lane.isKnown && isOwn(this.#repository.store, theirs, this.#parts.clusterId);
    if (!isEarlierLife && !isMerged(this.#repository, theirs)) {
      this.#lane.foreign = theirs;
      return false;
    }
    await join(this.#parts, this.#lane.name, this.#repository, theirs);
    return true;
  }

  /** While their branches are there, so that one is known however it is merged. */
  async #keepProposals(seen: Advertisement): Promise<void> {
    await this.#fetch(unknownProposals(this.#repository, seen));
    await keepProposals(this.#repository, seen);
  }

  async #fetch(wants: readonly ObjectId[]): Promise<void> {
    if (wants.length === 0) return;
    using limit = this.#limit();
    await this.#parts.port.fetch(this.#repository, this.#place, wants, limit.signal);
  }

  /** A branch that may not be deleted there (it is the default, or protected) holds up nothing else. */
  async #push(seen: Advertisement, updates: readonly RefUpdate[]): Promise<Transferred | undefined> {
    if (updates.length === 0) return undefined;
    await this.#parts.guard?.();
    try {
      using limit = this.#limit();
      const options = { advertised: seen, signal: limit.signal };
      return await this.#parts.port.push(this.#repository, this.#place, updates, options);
    } catch (error) {
      const rest = updates.filter(({ to }) => to !== undefined);
      const isRefused = error instanceof KeeperError && error.code === 'REMOTE_REFUSED' && error.kind === 'stalled';
      if (!isRefused || rest.length === updates.length) throw error;
      return await this.#push(seen, rest);
    }
  }

  /** Durable before anything else is tried, so that a restart knows without the remote. */
  async #remember(plan: Updates, isMainOurs: boolean): Promise<void> {
    if (!isMainOurs) {
      if (plan.side !== undefined) await this.#move(trackingOf(plan.side), plan.head);
      return;
    }
    await this.#move(TRACKING, plan.head);
    if (this.#lane.isKnown && this.#lane.foreign === undefined) return;
    for (const name of sideTrackings(this.#repository)) await this.#move(name, undefined);
    await forgetJoined(this.#repository);
    this.#lane.foreign = undefined;
  }

  async #move(ref: string, to: ObjectId | undefined): Promise<void> {
    const from = this.#repository.ref(ref);
    if (from !== to) await this.#repository.updateRef(ref, { from, to });
  }

  #report(plan: Updates, bytes: number, durationMs: number): void {
    const commits = countCommits(this.#repository.store, plan.base, plan.head);
    const { name } = this.#lane;
    this.#parts.report({
      type: 'pushed',
      repository: name,
      url: this.#place.url,
      id: plan.head,
      commits,
      bytes,
      durationMs,
    });
  }

  /** Only what we made: the rules of a repository that a person made are that person's. */
  async #protect(): Promise<void> {
    if (!this.#lane.isCreated) return;
    const forge = await this.#parts.port.openForge(this.#signal);
    if (forge === undefined) return;
    const isProtected = await forge.protect(this.#place, { signal: this.#signal });
    this.#lane.isCreated = false;
    this.#parts.report({ type: 'remote-created', repository: this.#lane.name, url: this.#place.url, isProtected });
  }

  #describeStall(seen: Advertisement, { side }: Updates): Stall | undefined {
    const theirs = seen.refs.get(MAIN);
    if (theirs === undefined) return undefined;
    const isOtherKeeper = isOwn(this.#repository.store, theirs, this.#parts.clusterId);
    return describeDiverged(this.#lane.name, this.#repository, { url: this.#place.url, theirs, side, isOtherKeeper });
  }

  /** Forward again is no force, but somebody meant something by it, unless we had asked for it. */
  #describeSetBack(seen: Advertisement): string | undefined {
    const theirs = seen.refs.get(MAIN);
    const left = this.#repository.ref(TRACKING);
    if (theirs === undefined || left === undefined || theirs === left) return undefined;
    const { store } = this.#repository;
    if (this.#lane.stall?.reason === 'RemoteDiverged' || !store.has(theirs) || !isAncestor(store, theirs, left))
      return undefined;
    return `Somebody set main of ${this.#place.url} back from ${left.slice(0, 10)} to ${theirs.slice(0, 10)}; nothing is lost, it was moved forward again`;
  }

  get #place() {
    return this.#parts.port.place(this.#lane.name);
  }

  #limit() {
    const reason = () => noAnswer(this.#lane.name, this.#place, TRANSFER_LIMIT_MS / 1000);
    return timeLimit(this.#parts.timer, TRANSFER_LIMIT_MS, this.#signal, reason);
  }
}

function describeClashes({ clashes: [first, ...others] }: Updates): string | undefined {
  if (first === undefined) return undefined;
  const what = others.length === 0 ? `The tag ${first} means` : `The tag ${first} and ${others.length} more mean`;
  return `${what} another commit at the remote; nothing was overwritten, ours stay here, rename one of them`;
}
