import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ask, applyObject } from './api-client.ts';
import { type KubeUser, renderKubeconfig } from './kubeconfig.ts';

/** Users with restricted rights. */

const RBAC = 'rbac.authorization.k8s.io';

interface Place {
  readonly ask: Ask;
  readonly directory: string;
  readonly server: string;
  /** PEM. */
  readonly authority: string;
}

/** A service account of the namespace `default` with cluster-wide `rules` (PolicyRule) and a token for an hour. */
export async function createServiceAccountUser(
  place: Place,
  name: string,
  rules: readonly object[],
): Promise<KubeUser> {
  const apply = (object: object) => applyObject(place.ask, object, 'test');
  const setRules = async (renewed: readonly object[]) => {
    await apply({ apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name }, rules: renewed });
  };
  await setRules(rules);
  const metadata = { name, namespace: 'default' };
  await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await apply({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', ...metadata }],
  });
  const token = await requestToken(place.ask, name);
  const kubeconfig = join(place.directory, `${name}.kubeconfig`);
  await writeFile(kubeconfig, renderKubeconfig({ ...place, token }), { mode: 0o600 });
  return { name, kubeconfig, token, setRules };
}

async function requestToken(ask: Ask, name: string): Promise<string> {
  const path = `/api/v1/namespaces/default/serviceaccounts/${name}/token`;
  const answer = await ask('POST', path, { spec: { expirationSeconds: 3600 } });
  if (answer.status >= 300) throw new Error(`no token for ${name}: ${answer.text}`);
  return (JSON.parse(answer.text) as { status: { token: string } }).status.token;
}
