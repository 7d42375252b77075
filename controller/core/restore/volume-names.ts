import { KeeperError } from '../../errors.ts';
import { nearestFirst } from '../nearest.ts';
import type { Selection } from './plan.ts';

/** Throws KeeperError USAGE_INVALID when `--volumes` names a claim that is not restored. */
export function requireKnownVolumes({ volumes }: Selection, claims: readonly string[]): void {
  if (volumes === undefined || typeof volumes === 'string') return;
  const unknown = volumes.find((name) => !claims.includes(name));
  if (unknown === undefined) return;
  const [nearest] = nearestFirst(claims, unknown);
  const hint = nearest === undefined ? 'no claim is' : `did you mean "--volumes ${nearest}"?`;
  throw new KeeperError(
    `No claim ${JSON.stringify(unknown)} is restored from this point; nothing was changed, ${hint}`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}
