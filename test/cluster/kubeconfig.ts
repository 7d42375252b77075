/** Kubeconfig files for tests. */

export interface KubeUser {
  readonly name: string;
  /** A file. */
  readonly kubeconfig: string;
  readonly token: string;
  /** Replaces what the user may do, at once. */
  setRules(rules: readonly object[]): Promise<void>;
}

export function renderKubeconfig(access: {
  readonly server: string;
  readonly authority: string;
  readonly token: string;
}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: {
          server: access.server,
          'certificate-authority-data': Buffer.from(access.authority).toString('base64'),
        },
      },
    ],
    users: [{ name: 'test', user: { token: access.token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  });
}
