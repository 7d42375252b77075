import { isIPv6 } from 'node:net';
import { invalidKubeconfig } from './errors.ts';
import { type Target, tokenFileProvider } from './target.ts';

/** A pod's own credentials, as Kubernetes mounts them; the token is renewed in place by the kubelet. */

const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export const SERVICE_ACCOUNT = { token: `${MOUNT}/token`, authority: `${MOUNT}/ca.crt` } as const;

export function readServiceAccount(): Target {
  const host = process.env['KUBERNETES_SERVICE_HOST'];
  const port = process.env['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (host === undefined)
    throw invalidKubeconfig('KUBERNETES_SERVICE_HOST is not set; name a kubeconfig with --kubeconfig');
  return {
    context: 'in-cluster',
    cluster: {
      name: 'in-cluster',
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
      caFile: SERVICE_ACCOUNT.authority,
      skipTLSVerify: false,
    },
    user: { name: 'service-account', authProvider: tokenFileProvider(SERVICE_ACCOUNT.token), impersonateGroups: [] },
  };
}
