import type { StalledReason } from '../core/outcome.ts';
import { type ErrorCode, KeeperError } from '../errors.ts';
import { isDamage } from './damage.ts';

/** What a failure may say about the whole server, so that not every repository has to find it out again and again. */
export type Trouble = 'unreachable' | 'credentials';

export interface Verdict {
  readonly trouble: Trouble | undefined;
  /** A person must do something; it is tried again all the same, because nobody tells us when it is done. */
  readonly stalled: StalledReason | undefined;
}

const VERDICTS: Readonly<Partial<Record<ErrorCode, Verdict>>> = {
  REMOTE_UNREACHABLE: { trouble: 'unreachable', stalled: undefined },
  REMOTE_UNTRUSTED: { trouble: 'unreachable', stalled: 'RemoteUntrusted' },
  REMOTE_REDIRECTED: { trouble: undefined, stalled: 'RemoteUntrusted' },
  REMOTE_CREDENTIALS_REFUSED: { trouble: 'credentials', stalled: 'CredentialsRefused' },
  REMOTE_CREDENTIALS_INVALID: { trouble: 'credentials', stalled: 'CredentialsRefused' },
  REMOTE_NOT_FOUND: { trouble: undefined, stalled: 'RemoteGone' },
  REMOTE_REFUSED: { trouble: undefined, stalled: 'RemoteRefused' },
  REMOTE_DIVERGED: { trouble: undefined, stalled: undefined },
};

/** Of our own disk or of the cluster (which may hold the credentials): said aloud by others too, and waited for here. */
const ELSEWHERE: Verdict = { trouble: undefined, stalled: undefined };

/** What becomes of a try that failed; undefined for what must end the run: a defect, the lead that was lost, a damaged repository. */
export function judge(error: unknown): (Verdict & { readonly error: KeeperError }) | undefined {
  if (!(error instanceof KeeperError) || error.kind === 'defect' || error.code === 'LEADERSHIP_LOST') return undefined;
  if (isDamage(error)) return undefined;
  const verdict = VERDICTS[error.code] ?? ELSEWHERE;
  return { ...verdict, stalled: error.kind === 'transient' ? undefined : verdict.stalled, error };
}
