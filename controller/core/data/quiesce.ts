import type { KubeObject } from '../object.ts';

/** Holding applications still while their volumes are snapshotted. A port of the data flow: hooks run in pods. */

export interface Quiescer {
  /**
   * Runs what has to come before the snapshots, in all pods that use the claims, and starts what is held. Undefined at once where no hook is
   * for any of them. Hooks that fail do not throw: the hold says so when it is released. `pods` are all pods of the namespace.
   */
  hold(
    namespace: string,
    what: { readonly pods: readonly KubeObject[]; readonly claims: readonly string[] },
    signal: AbortSignal,
  ): Promise<Hold | undefined>;
  /** Whatever an earlier process left held is let go; for a start. */
  recall(signal: AbortSignal): Promise<readonly string[]>;
}

export interface Hold extends AsyncDisposable {
  /** Every snapshot was cut: what comes after runs, and what is held ends. Bounded by the hooks' own timeouts. Never throws. */
  release(): Promise<Released>;
}

export interface Released {
  /** Every hook came off and held until the release, and every running pod with one of the claims had one. */
  readonly quiesced: boolean;
  /** In words, for the note: 'pod db-0: pre hook ended with exit code 1'. Never output of the hook. */
  readonly problems: readonly string[];
}
