import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificate, type CertificateAuthority, createAuthority, createTokenKey } from './certificates.ts';

/** What the processes of a control plane and their administrator prove themselves with. */
export interface Credentials {
  readonly authority: CertificateAuthority;
  readonly admin: Certificate;
  readonly controllerManager: Certificate;
}

const MASTERS = ['system:masters'];

/** Makes all keys of a cluster and writes what its processes read into `directory`/pki, readable by nobody else. */
export async function writeCredentials(directory: string, token: string): Promise<Credentials> {
  const authority = createAuthority('kubekeeper test cluster');
  // Of its own, or every client certificate could speak for everybody.
  const frontProxy = createAuthority('kubekeeper test cluster front proxy');
  const server = authority.issueServer('kube-apiserver', ['127.0.0.1', 'localhost', 'kubernetes.default.svc']);
  const aggregator = frontProxy.issueClient('front-proxy-client');
  const kubeletClient = authority.issueClient('kube-apiserver', MASTERS);
  const pki = join(directory, 'pki');
  await mkdir(pki, { mode: 0o700 });
  const files: Readonly<Record<string, string>> = {
    'ca.crt': authority.certificate,
    'ca.key': authority.key,
    'apiserver.crt': server.certificate,
    'apiserver.key': server.key,
    'kubelet-client.crt': kubeletClient.certificate,
    'kubelet-client.key': kubeletClient.key,
    'front-proxy-ca.crt': frontProxy.certificate,
    'front-proxy.crt': aggregator.certificate,
    'front-proxy.key': aggregator.key,
    'service-accounts.key': createTokenKey(),
    'tokens.csv': `${token},admin,admin,system:masters\n`,
  };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(pki, name), text, { mode: 0o600 })));
  return {
    authority,
    admin: authority.issueClient('admin', MASTERS),
    controllerManager: authority.issueClient('system:kube-controller-manager', MASTERS),
  };
}
