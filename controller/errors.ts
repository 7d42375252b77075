/**
 * Every error that kubekeeper raises on purpose is one of five kinds, named by what happens next.
 * An edge translates foreign errors into these and keeps them as `cause`; an exit (the command line, a
 * status) has one table back. Aborting is no error: the signal's reason passes through.
 */

/** transient: retried · stalled: someone must change something · skipped: an expected gap · invalid-input: the caller's mistake · defect: our invariant broke. */
export type ErrorKind = 'transient' | 'stalled' | 'skipped' | 'invalid-input' | 'defect';

export type ErrorCode =
  | 'CLUSTER_UNREACHABLE'
  | 'CLUSTER_BUSY'
  | 'CREDENTIALS_REFUSED'
  | 'RESOURCE_FORBIDDEN'
  | 'RESOURCE_NOT_SERVED'
  | 'RESOURCE_UNAVAILABLE'
  | 'RESOURCE_EXPIRED'
  | 'OBJECT_NOT_FOUND'
  | 'REQUEST_REFUSED'
  | 'KUBECONFIG_INVALID'
  | 'CONFIG_INVALID'
  | 'USAGE_INVALID'
  | 'RULES_INVALID'
  | 'DATA_DIRECTORY_IN_USE'
  | 'DATA_DIRECTORY_UNUSABLE'
  | 'REPOSITORY_TOO_NEW'
  | 'REPOSITORY_FOREIGN'
  | 'REPOSITORY_DAMAGED'
  | 'REPOSITORY_HOSTILE'
  | 'PACK_INVALID'
  | 'RECIPIENT_INVALID'
  | 'IDENTITY_INVALID'
  | 'FINGERPRINT_KEY_INVALID'
  | 'REMOTE_INVALID'
  | 'REMOTE_UNREACHABLE'
  | 'REMOTE_UNTRUSTED'
  | 'REMOTE_REDIRECTED'
  | 'REMOTE_CREDENTIALS_REFUSED'
  | 'REMOTE_CREDENTIALS_INVALID'
  | 'REMOTE_NOT_FOUND'
  | 'REMOTE_REFUSED'
  | 'REMOTE_DIVERGED'
  | 'LEADERSHIP_LOST'
  | 'ADDRESS_UNUSABLE'
  | 'DEFECT';

export interface KeeperErrorOptions {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  /** Facts for machines; never an object's body and never a secret. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
  /** How long the server asked us to wait (Retry-After), in milliseconds. */
  readonly retryAfterMs?: number;
}

/** The message says what happened, what is safe and what to do, in one line, sentence case, no final period. */
export class KeeperError extends Error {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: KeeperErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KeeperError';
    this.kind = options.kind;
    this.code = options.code;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The process ends with these; they are a contract with scripts (see README, "Exit codes"). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  refused: 4,
  unreachable: 5,
  defect: 70,
  interrupted: 130,
} as const;

const UNREACHABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['CLUSTER_UNREACHABLE', 'CLUSTER_BUSY']);

/** The exit code of an error that ended the process. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof KeeperError)) return EXIT.defect;
  if (UNREACHABLE.has(error.code)) return EXIT.unreachable;
  switch (error.kind) {
    case 'invalid-input':
      return EXIT.usage;
    case 'stalled':
      return EXIT.refused;
    case 'skipped':
      return EXIT.partial;
    case 'transient':
      return EXIT.failed;
    case 'defect':
      return EXIT.defect;
    default:
      return error.kind satisfies never;
  }
}
