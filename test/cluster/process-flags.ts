import { join } from 'node:path';

/** How the processes of a control plane are called; all listen on loopback or on a socket in `directory`, which is where they run. */

/**
 * Sockets in the working folder instead of ports: nothing to collide with, and nobody else reads a store that asks for no
 * password. etcd wants a host and a port all the same, and names the file so.
 */
const ETCD = 'unix://etcd:1';
const PEER = 'unix://peer:1';

export function etcdFlags(directory: string): readonly string[] {
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
    `--listen-peer-urls=${PEER}`,
    `--initial-advertise-peer-urls=${PEER}`,
    `--initial-cluster=default=${PEER}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

export function apiServerFlags(directory: string, port: number): readonly string[] {
  const pki = (name: string) => join(directory, 'pki', name);
  return [
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    // Else it looks for the machine's own address, which one without a network has not.
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--etcd-servers=${ETCD}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--token-auth-file=${pki('tokens.csv')}`,
    `--service-account-key-file=${pki('service-accounts.key')}`,
    `--service-account-signing-key-file=${pki('service-accounts.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.0.0.0/16',
    '--allow-privileged=true',
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-client-certificate=${pki('kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('kubelet-client.key')}`,
    `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${pki('front-proxy.crt')}`,
    `--proxy-client-key-file=${pki('front-proxy.key')}`,
  ];
}

export function controllerManagerFlags(directory: string, kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    // Serves nothing.
    '--secure-port=0',
    `--service-account-private-key-file=${join(directory, 'pki', 'service-accounts.key')}`,
    `--root-ca-file=${join(directory, 'pki', 'ca.crt')}`,
    '--leader-elect=false',
  ];
}
