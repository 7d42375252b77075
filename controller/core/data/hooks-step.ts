/** One command in a container. */
export interface HookStep {
  /** 'pre hook', 'held hook mariadb': to tell about. */
  readonly label: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
  /** Its failure does not count. */
  readonly isOptional: boolean;
}

export const HOOK_TIMEOUT_MS = 30_000;
