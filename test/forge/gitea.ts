import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { binary } from '../cluster/binaries.ts';
import { createAuthority } from '../cluster/certificates.ts';
import { openControlPlane } from '../cluster/control-plane.ts';
import { findFreePort } from '../cluster/free-port.ts';
import { renderSettings } from './gitea-settings.ts';

/** A real Gitea on loopback with TLS, its own database and its own folder, gone with its holder. */
export interface Gitea extends AsyncDisposable {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The authority of its certificate, PEM. */
  readonly authority: string;
  readonly directory: string;
  readonly readyMs: number;
  readonly pids: Readonly<Record<string, number>>;
  /** As the administrator, below `/api/v1`; any status is an answer. */
  ask(method: string, path: string, body?: object): Promise<GiteaAnswer>;
  /** A person with a password, who may have repositories of their own. */
  createUser(name: string): Promise<GiteaUser>;
  /** With these people as owners. */
  createOrganization(name: string, owners?: readonly string[]): Promise<void>;
}

export interface GiteaAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface GiteaUser {
  readonly name: string;
  readonly password: string;
  /** Scopes such as `write:repository`; all of them when none is named. */
  createToken(...scopes: readonly string[]): Promise<string>;
}

const run = promisify(execFile);
const ADMINISTRATOR = 'administrator';
const MODULE = join(import.meta.dirname, 'gitea');
const LONGEST_MS = 60_000;
const POLL_MS = 25;

/** Resolves when it answers. Rejects with the end of its log when it does not start. */
export async function startGitea(): Promise<Gitea> {
  const [program, resources] = [await binary('gitea'), await findResources()];
  const started = performance.now();
  const directory = join(tmpdir(), `kubekeeper-gitea-${randomBytes(6).toString('hex')}`);
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await openControlPlane(directory));
  const origin = `https://127.0.0.1:${await findFreePort()}`;
  const authority = await writeFiles(directory, origin, resources);
  const password = secret();
  const cli = [program, '--config', join(directory, 'app.ini'), '--work-path', directory];
  await plane.start('gitea', [...cli, 'web']);
  const agent = stack.adopt(new Agent({ connect: { ca: authority } }), (one) => one.destroy());
  const ask = asker(agent, origin, ADMINISTRATOR, password);
  await waitUntilReady();
  // Its database is made by then, and its own command line is the only way to a first user.
  await run(program, [
    ...cli.slice(1),
    'admin',
    'user',
    'create',
    '--admin',
    '--must-change-password=false',
    '--username',
    ADMINISTRATOR,
    '--password',
    password,
    '--email',
    `${ADMINISTRATOR}@example.com`,
  ]);
  const readyMs = performance.now() - started;
  const held = stack.move();
  return {
    origin,
    authority,
    directory,
    readyMs,
    pids: plane.pids,
    ask,
    createUser: (name) => createUser(ask, name, (own) => asker(agent, origin, name, own)),
    createOrganization: (name, owners = []) => createOrganization(ask, name, owners),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };

  async function waitUntilReady(): Promise<void> {
    const deadline = performance.now() + LONGEST_MS;
    for (;;) {
      const answer = await ask('GET', '/version').catch(() => undefined);
      if (answer?.status === 200) return;
      if (!plane.isRunning('gitea')) throw new Error(`gitea ended: ${await plane.log('gitea')}`);
      if (performance.now() > deadline)
        throw new Error(`gitea is not ready after a minute: ${await plane.log('gitea')}`);
      await sleep(POLL_MS);
    }
  }
}

/** Its templates and translations lie in its Go module; what is missing there is fetched. */
async function findResources(): Promise<string> {
  const env = { ...process.env, GOFLAGS: '', GOWORK: 'off' };
  const { stdout } = await run('go', ['mod', 'download', '-json', 'code.gitea.io/gitea'], { cwd: MODULE, env });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** Answers the authority of the certificate, PEM. */
async function writeFiles(directory: string, origin: string, resources: string): Promise<string> {
  const authority = createAuthority('kubekeeper-test-gitea');
  const { certificate, key } = authority.issueServer('gitea', ['127.0.0.1']);
  const mode = 0o600;
  await mkdir(join(directory, 'custom'));
  await writeFile(join(directory, 'server.crt'), certificate, { mode });
  await writeFile(join(directory, 'server.key'), key, { mode });
  await writeFile(join(directory, 'app.ini'), renderSettings({ directory, origin, resources }), { mode });
  return authority.certificate;
}

type Ask = Gitea['ask'];

function asker(dispatcher: Agent, origin: string, user: string, password: string): Ask {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return async (method, path, body) => {
    const answer = await request(`${origin}/api/v1${path}`, {
      dispatcher,
      method: method as 'GET',
      // Before the administrator exists there is nobody to be.
      headers: { ...(path === '/version' ? {} : { authorization }), 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  };
}

async function createUser(ask: Ask, name: string, as: (password: string) => Ask): Promise<GiteaUser> {
  const password = secret();
  const user = { username: name, password, email: `${name}@example.com`, must_change_password: false };
  expectStatus(await ask('POST', '/admin/users', user), 201);
  return {
    name,
    password,
    createToken: async (...scopes) => {
      const token = { name: randomBytes(6).toString('hex'), scopes: scopes.length === 0 ? ['all'] : scopes };
      return (expectStatus(await as(password)('POST', `/users/${name}/tokens`, token), 201) as { sha1: string }).sha1;
    },
  };
}

async function createOrganization(ask: Ask, name: string, owners: readonly string[]): Promise<void> {
  expectStatus(await ask('POST', '/orgs', { username: name }), 201);
  const teams = expectStatus(await ask('GET', `/orgs/${name}/teams`), 200) as readonly { id: number }[];
  for (const owner of owners) expectStatus(await ask('PUT', `/teams/${teams[0]?.id}/members/${owner}`), 204);
}

function expectStatus(answer: GiteaAnswer, status: number): unknown {
  if (answer.status === status) return answer.body;
  throw new Error(`gitea answered ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`);
}

function secret(): string {
  return `canary-${randomBytes(12).toString('hex')}`;
}
