import type { Advertisement, RefUpdate, RemotePort } from '../../controller/archive/remote-port.ts';
import type { Forge } from '../../controller/core/ports.ts';
import { parseRemoteTemplate, type RemotePlace } from '../../controller/core/remote.ts';
import { type ErrorCode, type ErrorKind, KeeperError } from '../../controller/errors.ts';
import { isAncestor } from '../../controller/git/ancestry.ts';
import type { ObjectId } from '../../controller/git/object-id.ts';
import type { Repository } from '../../controller/git/repository.ts';

export interface ScriptedPush {
  readonly repository: string;
  readonly updates: readonly RefUpdate[];
}

/** What a try meets: an error, silence until it is given up, or nothing. */
export type ScriptedFault = KeeperError | 'hang' | undefined;

/** Remotes that obey a script, where a fault must be exact: they hold refs and no objects. The same contract holds on a real server. */
export class ScriptedRemotes implements RemotePort {
  /** The refs of each remote repository, by the name of ours. */
  readonly repositories = new Map<string, Map<string, ObjectId>>();
  readonly pushes: ScriptedPush[] = [];
  /** How often each repository was looked at. */
  readonly looks = new Map<string, number>();
  fault: (repository: string, doing: 'state' | 'push') => ScriptedFault = () => undefined;
  forge: Forge | undefined;
  /** Operations that hang now, and the most that were under way at once. */
  hanging = 0;
  running = 0;
  mostRunning = 0;
  readonly #template = parseRemoteTemplate('https://git.example/ops/{cluster}-{namespace}.git');

  /** An empty one. */
  create(repository: string): Map<string, ObjectId> {
    const refs = new Map<string, ObjectId>();
    this.repositories.set(repository, refs);
    return refs;
  }

  place(repository: string): RemotePlace {
    return this.#template.place({ cluster: 'prod', repository });
  }

  async state(place: RemotePlace, signal: AbortSignal): Promise<Advertisement> {
    const name = nameOf(place);
    this.looks.set(name, (this.looks.get(name) ?? 0) + 1);
    await this.#meet(name, 'state', signal);
    const refs = this.repositories.get(name);
    if (refs === undefined) throw failure('REMOTE_NOT_FOUND', 'stalled', `no repository ${name}`);
    return { refs: new Map(refs), capabilities: new Set(['atomic']) };
  }

  async push(
    repository: Repository,
    place: RemotePlace,
    updates: readonly RefUpdate[],
    { advertised, signal }: { readonly advertised: Advertisement; readonly signal: AbortSignal },
  ): Promise<{ objects: number; bytes: number }> {
    const name = nameOf(place);
    await this.#meet(name, 'push', signal);
    const refs = this.repositories.get(name);
    if (refs === undefined) throw failure('REMOTE_NOT_FOUND', 'stalled', `no repository ${name}`);
    for (const { ref, from, to } of updates) {
      const isForward = from === undefined || to === undefined || isAncestor(repository.store, from, to);
      if (refs.get(ref) === from && advertised.refs.get(ref) === from && isForward) continue;
      throw failure('REMOTE_DIVERGED', 'stalled', `${ref} is not at ${from}`);
    }
    for (const { ref, to } of updates) {
      if (to === undefined) refs.delete(ref);
      else refs.set(ref, to);
    }
    this.pushes.push({ repository: name, updates });
    return { objects: 3, bytes: 500 };
  }

  async fetch(): Promise<never> {
    throw new Error('scripted remotes hold no objects: use a real server');
  }

  async openForge(): Promise<Forge | undefined> {
    return this.forge;
  }

  async #meet(name: string, doing: 'state' | 'push', signal: AbortSignal): Promise<void> {
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      // A turn of the loop, so that what runs side by side does so.
      await new Promise((resolve) => setImmediate(resolve));
      const fault = this.fault(name, doing);
      if (fault === 'hang') await this.#hang(signal);
      else if (fault !== undefined) throw fault;
    } finally {
      this.running--;
    }
  }

  async #hang(signal: AbortSignal): Promise<never> {
    this.hanging++;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
    this.hanging--;
    throw signal.reason;
  }
}

function nameOf(place: RemotePlace): string {
  return place.name.replace(/^prod-/, '');
}

export function failure(
  code: ErrorCode,
  kind: ErrorKind,
  message = `${code} of a script`,
  retryAfterMs?: number,
): KeeperError {
  return new KeeperError(message, { code, kind, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

export function unreachable(message?: string, retryAfterMs?: number): KeeperError {
  return failure('REMOTE_UNREACHABLE', 'transient', message, retryAfterMs);
}
