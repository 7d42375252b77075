import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseJson } from '../../controller/core/json.ts';
import type { Json } from '../../controller/core/object.ts';
import { binary } from '../cluster/binaries.ts';

/** The real sops, which sees one file, one identity and nothing of the account that runs the tests. */

const run = promisify(execFile);

/** Any other command of sops in `directory`, which is all that it sees. */
export async function sops(directory: string, args: readonly string[], identity = ''): Promise<string> {
  const environment = { HOME: directory, XDG_CONFIG_HOME: directory, SOPS_AGE_KEY: identity };
  const { stdout } = await run(await binary('sops'), args, {
    cwd: directory,
    env: environment,
    maxBuffer: 64 * 2 ** 20,
  });
  return stdout;
}

/** `sops -d FILE` in `directory`. Rejects with sops's own words on `stderr`. */
export async function decryptText(directory: string, text: string, identity: string): Promise<string> {
  const file = join(directory, 'sealed.json');
  await writeFile(file, text);
  const environment = { HOME: directory, XDG_CONFIG_HOME: directory, SOPS_AGE_KEY: identity };
  const { stdout } = await run(await binary('sops'), ['-d', file], { env: environment, maxBuffer: 64 * 2 ** 20 });
  return stdout;
}

export async function decrypt(directory: string, text: string, identity: string): Promise<Json> {
  return parseJson(await decryptText(directory, text, identity));
}
