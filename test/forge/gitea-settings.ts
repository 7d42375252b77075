import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** Gitea's app.ini (docs.gitea.com, "Configuration Cheat Sheet") for a short life: SQLite, nothing that runs beside requests, no mail. */
export function renderSettings(at: {
  readonly directory: string;
  readonly origin: string;
  readonly resources: string;
}): string {
  const inside = (name: string) => join(at.directory, name);
  const { hostname, port } = new URL(at.origin);
  const sections: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    '': {
      RUN_MODE: 'prod',
      // Where a container runs the tests as root; it serves loopback only and is gone with them.
      I_AM_BEING_UNSAFE_RUNNING_AS_ROOT: 'true',
    },
    server: {
      PROTOCOL: 'https',
      HTTP_ADDR: hostname,
      HTTP_PORT: port,
      ROOT_URL: `${at.origin}/`,
      CERT_FILE: inside('server.crt'),
      KEY_FILE: inside('server.key'),
      STATIC_ROOT_PATH: at.resources,
      DISABLE_SSH: 'true',
      OFFLINE_MODE: 'true',
    },
    database: { DB_TYPE: 'sqlite3', PATH: inside('gitea.db'), SQLITE_JOURNAL_MODE: 'MEMORY' },
    repository: { ROOT: inside('repositories'), DEFAULT_BRANCH: 'trunk' },
    security: {
      INSTALL_LOCK: 'true',
      SECRET_KEY: randomBytes(16).toString('hex'),
      // Any password of a test is random; hashing it well takes time.
      PASSWORD_HASH_ALGO: 'pbkdf2$1$8',
      PASSWORD_COMPLEXITY: 'off',
    },
    service: { DISABLE_REGISTRATION: 'true' },
    indexer: { ISSUE_INDEXER_TYPE: 'db' },
    queue: { TYPE: 'channel' },
    cron: { ENABLED: 'false' },
    actions: { ENABLED: 'false' },
    packages: { ENABLED: 'false' },
    log: { MODE: 'console', LEVEL: 'Warn' },
  };
  return Object.entries(sections)
    .flatMap(([section, settings]) => [
      ...(section === '' ? [] : [`[${section}]`]),
      ...Object.entries(settings).map(([key, value]) => `${key} = ${value}`),
    ])
    .join('\n');
}
