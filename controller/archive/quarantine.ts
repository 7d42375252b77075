import type { Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';
import { replaceRepository } from '../git/replace-repository.ts';
import type { Repository } from '../git/repository.ts';
import { type Damage, damagedRepository, reasonOf } from './damage.ts';
import { openSpace } from './space.ts';
import { type Adopt, type Guard, refuseOtherCluster } from './spaces.ts';

/**
 * A damaged repository is set aside alone: a new one takes its place, with the remote's history and with every commit that can
 * still be read, and all other repositories go on. What is damaged again soon after is left out until the next start: the disk
 * loses data, and to copy it again and again would only fill it.
 */

const SOON_MS = 10 * 60_000;

export interface QuarantineParts {
  readonly dataDirectory: string;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly guard?: Guard | undefined;
}

export interface QuarantineHelp {
  /** Brings what the remote has into a new repository, as far as it answers. */
  readonly adopt: Adopt | undefined;
  readonly report: (outcome: Outcome) => void;
}

export class Quarantine {
  readonly #parts: QuarantineParts;
  /** When each was replaced last, on the monotonic clock. */
  readonly #replacedAt = new Map<string, number>();
  readonly #leftOut = new Set<string>();

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
  }

  /** False for what could not be replaced: it must not be opened before the next start. */
  includes(name: string): boolean {
    return !this.#leftOut.has(name);
  }

  /**
   * Replaces the repository and reports it; answers whether there is one to open now. It must be closed. Throws what concerns more
   * than this repository: another cluster's, a newer format, the lead that was lost.
   */
  async replace(name: string, damage: Damage, help: QuarantineHelp): Promise<boolean> {
    const now = this.#parts.clock.monotonic();
    const before = this.#replacedAt.get(name);
    this.#replacedAt.set(name, now);
    if (before !== undefined && now - before < SOON_MS) return this.#leaveOut(name, damage, help);
    try {
      await this.#replaceNow(name, damage, help);
      return true;
    } catch (error) {
      // A disk that is full or read-only: the damaged repository stays where it is.
      if (isStorageFailure(error)) return this.#leaveOut(name, error, help);
      throw error;
    }
  }

  /** The same for what a run has met, which has ended. Throws the damage where it does not say whose it is. */
  async *replaceMet(damage: Damage, adopt: Adopt | undefined): AsyncGenerator<Outcome> {
    const name = damagedRepository(damage);
    if (name === undefined) throw damage;
    const outcomes: Outcome[] = [];
    // One that is left out by now was met by the run that left it out.
    if (this.includes(name)) await this.replace(name, damage, { adopt, report: (outcome) => outcomes.push(outcome) });
    yield* outcomes;
  }

  async #replaceNow(name: string, damage: Damage, { adopt, report }: QuarantineHelp): Promise<void> {
    const { dataDirectory, clock, signal, guard } = this.#parts;
    const { movedTo, from, saved } = await replaceRepository(dataDirectory, name, {
      time: new Date(clock.wall()),
      signal,
      guard,
      recover: adopt && ((repository) => adopt(name, repository)),
      check: (repository) => this.#check(name, repository),
    });
    const reason = reasonOf(damage);
    report({ type: 'quarantined', repository: name, reason, movedTo, savedCommits: saved.commits, from });
  }

  /** What is refused is the repository in its place, not the one that was built beside it. */
  async #check(name: string, repository: Repository): Promise<void> {
    const { dataDirectory, clusterId } = this.#parts;
    try {
      refuseOtherCluster(await openSpace(name, repository), clusterId);
    } catch (cause) {
      if (!(cause instanceof KeeperError)) throw cause;
      const message = cause.message.replaceAll(repository.directory, `${dataDirectory}/${name}.git`);
      throw new KeeperError(message, { kind: cause.kind, code: cause.code, details: cause.details, cause });
    }
  }

  #leaveOut(name: string, error: KeeperError, { report }: QuarantineHelp): false {
    this.#leftOut.add(name);
    const reason = `${error.message}; it is left out until the next start`;
    report({ type: 'skipped', resource: '*', namespace: name, reason, code: error.code });
    return false;
  }
}

function isStorageFailure(error: unknown): error is KeeperError {
  return error instanceof KeeperError && error.code === 'DATA_DIRECTORY_UNUSABLE';
}
