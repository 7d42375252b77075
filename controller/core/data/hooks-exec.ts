/** Commands in containers. What they write is dropped: it may hold secrets. */

export interface ContainerPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface PodExec {
  /**
   * Resolves once the API server has taken the command. Throws KeeperError where it does not (not permitted, no such pod, not reached); then
   * only a connection that was cut in the middle leaves open whether it ran. It is never sent twice.
   */
  start(
    place: ContainerPlace,
    command: readonly string[],
    options: {
      /** Its standard input stays open until `endInput`, and ends by itself with this process. */
      readonly input: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<ExecSession>;
}

export interface ExecSession {
  /** Resolves when so many whole lines came on standard output; false: it ended before. */
  wrote(lines: number): Promise<boolean>;
  /** Never rejects. */
  readonly ended: Promise<ExecEnd>;
  /** Undefined while it runs. */
  readonly end: ExecEnd | undefined;
  /** An empty line on its standard input. */
  nudge(): void;
  endInput(): void;
  /** Cuts the connection. The command goes on where it does not read its input. */
  leave(): void;
}

export type ExecEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** The node did not start it. */
  | { readonly kind: 'not-started'; readonly why: string }
  /** The connection ended before the command did; it may go on. */
  | { readonly kind: 'lost' }
  /** Its input could only be ended with the connection (API servers before 1.30), or it was left. */
  | { readonly kind: 'unseen' };
