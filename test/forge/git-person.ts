import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Credential } from '../../controller/core/ports.ts';
import { GitClient } from '../remote/git-client.ts';

/** Somebody with the real Git and a credential for one server, in a repository with one commit on main. */
export async function openPerson(authority: string, credential: Credential): Promise<GitClient> {
  const client = new GitClient();
  await client.init();
  // Below .git, so that it is not committed; neither is on a command line.
  const file = (name: string, text: string) => {
    const path = join(client.directory, '.git', name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const { username, password } =
    credential.kind === 'basic' ? credential : { username: 'x-access-token', password: credential.token };
  const pair = Buffer.from(`${username}:${password}`).toString('base64');
  const extra = file('credential', `[http]\n  extraHeader = Authorization: Basic ${pair}\n`);
  await client.git('config', 'include.path', extra);
  await client.git('config', 'http.sslCAInfo', file('authority.pem', authority));
  return client;
}
