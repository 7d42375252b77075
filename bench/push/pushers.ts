import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RemotePlace } from '../../controller/core/remote.ts';
import { discover } from '../../controller/git/remote/discover.ts';
import { type Pushed, push } from '../../controller/git/remote/push.ts';
import type { Transport } from '../../controller/git/remote/transport.ts';
import type { Repository } from '../../controller/git/repository.ts';
import { git } from '../git/repositories.ts';

const MAIN = 'refs/heads/main';
const run = promisify(execFile);

/** kubekeeper's way: ask for the refs, then send what is missing. */
export async function pushOurs(
  repository: Repository,
  transport: Transport,
  place: RemotePlace,
  signal: AbortSignal,
): Promise<Pushed> {
  const remote = { place, transport };
  const advertised = await discover(remote, 'git-receive-pack', signal);
  const update = { ref: MAIN, from: advertised.refs.get(MAIN), to: repository.head };
  return await push(repository, remote, [update], { advertised, signal });
}

/** `git push` from a bare clone. */
export async function pushNative(clone: string, place: RemotePlace, signal: AbortSignal): Promise<void> {
  await run('git', nativePush(clone, place), { signal });
}

export function nativePush(clone: string, place: RemotePlace): string[] {
  return ['-C', clone, 'push', '--quiet', place.url, 'main'];
}

/** A bare clone of a repository of ours, packed as Git packs. */
export function cloneNative(directory: string, clone: string): void {
  git(directory, ['clone', '--quiet', '--bare', '--no-local', directory, clone]);
  git(clone, ['config', 'gc.auto', '0']);
}

/** The same commit in the clone. */
export function fetchNative(clone: string): void {
  git(clone, ['fetch', '--quiet', 'origin', 'main:main']);
}

/** Milliseconds. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
