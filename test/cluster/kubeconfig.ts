import type { Certificate } from './certificates.ts';

/** Kubeconfig files for tests: JSON, which is YAML too. */

export interface KubeUser {
  readonly name: string;
  /** A file. */
  readonly kubeconfig: string;
  readonly token: string;
  /** Replaces what the user may do, at once. */
  setRules(rules: readonly object[]): Promise<void>;
}

/** How a user proves who it is. */
export type Credential = { readonly token: string } | { readonly client: Certificate };

/** `authority` is the PEM of who signed the server's certificate. */
export function renderKubeconfig(
  access: { readonly server: string; readonly authority: string } & Credential,
  name = 'kubekeeper-test',
): string {
  const cluster = { server: access.server, 'certificate-authority-data': encode(access.authority) };
  const user =
    'token' in access
      ? { token: access.token }
      : {
          'client-certificate-data': encode(access.client.certificate),
          'client-key-data': encode(access.client.key),
        };
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name, cluster }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name } }],
    },
    undefined,
    2,
  )}\n`;
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
