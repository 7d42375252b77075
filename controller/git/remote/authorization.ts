import type { Credential, CredentialSource } from '../../core/ports.ts';
import type { Remote } from './transport.ts';

/** What was shown to remotes of late, so that it can be taken out of what they answer; per source, the newest last. */
const shown = new WeakMap<CredentialSource, readonly string[]>();

const REMEMBERED = 12;

/** The value of the Authorization header; undefined where there is no credential. Throws REMOTE_CREDENTIALS_INVALID. */
export async function authorizationOf(
  remote: Remote,
  options: { readonly renew?: boolean; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const credential = await remote.credentials?.get(options);
  if (credential === undefined || remote.credentials === undefined) return undefined;
  const { username, password } = userOf(credential);
  const encoded = Buffer.from(`${username}:${password}`).toString('base64');
  const known = shown.get(remote.credentials) ?? [];
  const secrets = [...known, password, encodeURIComponent(password), encoded].filter((secret) => secret !== '');
  shown.set(remote.credentials, [...new Set(secrets.reverse())].reverse().slice(-REMEMBERED));
  return `Basic ${encoded}`;
}

/** Takes what we have shown out of a text of the remote: servers have been seen to repeat what they were sent. */
export function withoutCredentials(remote: Remote, text: string): string {
  let masked = text;
  const secrets = remote.credentials === undefined ? [] : (shown.get(remote.credentials) ?? []);
  // The longest first: one may be part of another.
  for (const secret of secrets.toSorted((a, b) => b.length - a.length)) masked = masked.replaceAll(secret, '***');
  return masked;
}

/** GitHub asks for this name beside the token of an App; GitLab, Gitea and Forgejo take any beside a token. */
function userOf(credential: Credential): { readonly username: string; readonly password: string } {
  return credential.kind === 'basic' ? credential : { username: 'x-access-token', password: credential.token };
}
