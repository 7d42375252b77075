import type { LeaseRecord, LeaseStore } from '../../controller/core/ports.ts';
import { KeeperError } from '../../controller/errors.ts';

/** One Lease in memory that several stores share; each store is one replica's way to it, which a test can cut. */
export class MemoryLease {
  record: LeaseRecord | undefined;
  /** Every write that was accepted. */
  readonly written: LeaseRecord[] = [];
  #version = 0;

  store(): CuttableStore {
    return new CuttableStore(this);
  }

  write(next: Omit<LeaseRecord, 'resourceVersion'>, seen: LeaseRecord | undefined): LeaseRecord | undefined {
    if (seen?.resourceVersion !== this.record?.resourceVersion) return undefined;
    this.record = { ...next, resourceVersion: String(++this.#version) };
    this.written.push(this.record);
    return this.record;
  }
}

export const UNREACHABLE = new KeeperError('Cannot reach the API server at memory', {
  kind: 'transient',
  code: 'CLUSTER_UNREACHABLE',
});

export const FORBIDDEN = new KeeperError('Not permitted to update the Lease', {
  kind: 'stalled',
  code: 'RESOURCE_FORBIDDEN',
});

export class CuttableStore implements LeaseStore {
  readonly #lease: MemoryLease;
  /** Thrown by every request while it is set. */
  failure: Error | undefined;
  /** Requests arrive, their answers never do; the request ends by its signal. */
  isMute = false;
  requests = 0;

  constructor(lease: MemoryLease) {
    this.#lease = lease;
  }

  read(signal: AbortSignal): Promise<LeaseRecord | undefined> {
    return this.#answer(signal, () => this.#lease.record);
  }

  write(
    next: Omit<LeaseRecord, 'resourceVersion'>,
    seen: LeaseRecord | undefined,
    signal: AbortSignal,
  ): Promise<LeaseRecord | undefined> {
    return this.#answer(signal, () => this.#lease.write(next, seen));
  }

  async #answer<T>(signal: AbortSignal, serve: () => T): Promise<T> {
    this.requests++;
    signal.throwIfAborted();
    if (this.failure !== undefined) throw this.failure;
    const answer = serve();
    if (!this.isMute) return answer;
    return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
}
