import type { TestNode } from '../node/test-node.ts';
import { createAll, DATABASE_IMAGE, type Database, openDatabase } from './databases.ts';

/** PostgreSQL: a StatefulSet of two replicas, each a server of its own with the claim `data-postgres-N`. */

const REPLICAS = [0, 1] as const;

const START = `set -e
versions=$(echo /usr/lib/postgresql/*/bin)
mkdir -p /data/files /run/postgresql
chown postgres /data /run/postgresql
if [ ! -d /data/db ]; then
  rm -rf /data/draft
  echo "$PGPASSWORD" > /tmp/password && chown postgres /tmp/password
  setpriv --reuid postgres --regid postgres --clear-groups $versions/initdb --pgdata=/data/draft --username=keeper \\
    --auth=scram-sha-256 --pwfile=/tmp/password --data-checksums --encoding=UTF8 > /dev/null
  mv /data/draft /data/db
fi
exec setpriv --reuid postgres --regid postgres --clear-groups $versions/postgres -D /data/db -c config_file=/settings/postgresql.conf
`;

const SETTINGS = `hba_file = '/data/db/pg_hba.conf'
ident_file = '/data/db/pg_ident.conf'
unix_socket_directories = '/var/run/postgresql'
listen_addresses = ''
shared_buffers = 16MB
min_wal_size = 32MB
max_wal_size = 64MB
jit = off
`;

const CLIENT = ['psql', '--username=keeper', '--no-align', '--tuples-only', '--quiet', 'postgres'];

/** For `startWriter`, of one replica. */
export const postgresWriter = (replica: number) => ({ pod: `postgres-${replica}`, client: CLIENT });

/** Resolves when both answer; they have no table yet. What it resolves with also speaks to those that are restored. */
export async function startPostgres(world: TestNode, namespace: string): Promise<readonly Database[]> {
  await createAll(world, namespace, postgresObjects(namespace));
  const checksumOf = (table: string) => `SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t)) FROM ${table} t`;
  const server = { client: CLIENT, checksumOf };
  const databases = REPLICAS.map((number) => openDatabase(world, { namespace, pod: `postgres-${number}` }, server));
  for (const database of databases) await database.isUp();
  return databases;
}

function postgresObjects(namespace: string): readonly object[] {
  const metadata = { name: 'postgres', namespace };
  const labels = { app: 'postgres' };
  const password = { secretKeyRef: { name: 'postgres', key: 'password' } };
  const container = {
    name: 'postgres',
    image: DATABASE_IMAGE,
    command: ['sh', '/settings/start.sh'],
    env: [{ name: 'PGPASSWORD', valueFrom: password }],
    readinessProbe: {
      exec: { command: [...CLIENT, '--command=SELECT 1'] },
      periodSeconds: 1,
      timeoutSeconds: 5,
    },
    volumeMounts: [
      { name: 'data', mountPath: '/data' },
      { name: 'settings', mountPath: '/settings' },
    ],
  };
  const pod = {
    terminationGracePeriodSeconds: 3,
    containers: [container],
    volumes: [{ name: 'settings', configMap: { name: 'postgres' } }],
  };
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '512Mi' } } };
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { password: 'for-tests-only' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'start.sh': START, 'postgresql.conf': SETTINGS } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { clusterIP: 'None', selector: labels, ports: [{ port: 5432 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: {
        serviceName: 'postgres',
        replicas: REPLICAS.length,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: pod },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
      },
    },
  ];
}
