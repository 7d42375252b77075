import { type KeyObject, sign } from 'node:crypto';

/** Claims that are dated back, because clocks differ. */
const BACKDATED_S = 60;
/** GitHub takes ten minutes at most. */
const LIFETIME_S = 9 * 60;

/**
 * The JWT (RFC 7519, RS256) that an App proves itself with (docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App").
 * `now` is milliseconds since the epoch.
 */
export function signAppToken(app: { readonly appId: string; readonly privateKey: KeyObject }, now: number): string {
  const seconds = Math.floor(now / 1000);
  const claims = { iat: seconds - BACKDATED_S, exp: seconds + LIFETIME_S, iss: app.appId };
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), app.privateKey).toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
