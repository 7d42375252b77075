import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, type Place } from './bare-repository.ts';

/** Repositories with everything in them that a repository of ours can have, and ways to damage them. */

export const HOWS = ['truncated', 'emptied', 'flipped', 'removed'] as const;
export type How = (typeof HOWS)[number];

/** Damages one file; `at` in [0, 1) chooses the length that stays, or the bit. Emptied and truncated directories are nonsense. */
export function damage(path: string, how: How, at = 0.5): void {
  if (how === 'removed') {
    rmSync(path, { recursive: true });
    return;
  }
  chmodSync(path, 0o644);
  const { size } = statSync(path);
  if (how === 'flipped') flip(path, Math.floor(at * size * 8));
  else truncateSync(path, how === 'emptied' ? 0 : Math.floor(at * size));
}

export function flip(path: string, bit: number): void {
  chmodSync(path, 0o644);
  const bytes = readFileSync(path);
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  writeFileSync(path, bytes);
}

/** Flips a bit in the content of one object, wherever its pack is. */
export function damageObject(directory: string, id: string): void {
  const { pack, offset } = findObject(directory, id);
  flip(join(directory, `${pack}.pack`), (offset + 6) * 8);
}

/** The pack (a path in the repository without suffix) that holds an object, and where. */
export function findObject(directory: string, id: string): { readonly pack: string; readonly offset: number } {
  for (const file of filesOf(directory).filter((name) => name.endsWith('.idx'))) {
    const rows = execFileSync('git', ['show-index'], { input: readFileSync(join(directory, file)) }).toString();
    const row = rows.split('\n').find((line) => line.includes(id));
    if (row !== undefined) return { pack: file.replace(/\.idx$/, ''), offset: Number(row.split(' ')[0]) };
  }
  throw new Error(`no pack holds ${id}`);
}

const ARCHIVE = `${JSON.stringify({ formatVersion: 1, clusterId: 'cluster-1', resources: {}, rules: '1', secrets: 'omit' })}\n`;

export interface Rich {
  /** Oldest first. */
  readonly commits: readonly string[];
  /** By full name: where the other refs lead. */
  readonly refs: ReadonlyMap<string, string>;
}

const AS_SOMEBODY = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];

/**
 * A consolidated history, windows on top of it, annotated and plain tags, notes, a remote's branch, refs in packed-refs and in
 * files, objects in files of their own.
 */
export async function fillRich(place: Place, windows = 12): Promise<Rich> {
  const commits: string[] = [];
  const now = clock();
  {
    await using repository = await openRepository(place.directory, { autoConsolidate: false });
    repository.stage('.kubekeeper/archive.json', ARCHIVE);
    for (let i = 0; i < 12; i++) repository.stage(`configmaps/c-${i}.json`, manifest(`c-${i}`, 0));
    for (let k = 0; k < windows - 1; k++) {
      commits.push(await commitWindow(repository, k, now()));
      if (k === Math.floor(windows / 2)) await repository.consolidate({ full: true });
    }
  }
  const at = (index: number) => commits[index] as string;
  place.git(...AS_SOMEBODY, 'tag', '-a', '-m', 'known good', 'good/one', at(2));
  place.git('update-ref', 'refs/remotes/origin/main', at(4));
  place.git(...AS_SOMEBODY, 'notes', '--ref=data', 'add', '-m', 'ready', at(3));
  place.git('pack-refs', '--all');
  place.git(...AS_SOMEBODY, 'tag', '-a', '-m', 'known good', 'good/two', at(5));
  place.git('tag', 'plain', at(1));
  place.git(...AS_SOMEBODY, 'notes', '--ref=data', 'add', '-m', 'failed', at(5));
  {
    await using repository = await openRepository(place.directory, { autoConsolidate: false });
    commits.push(await commitWindow(repository, windows - 1, now()));
  }
  return { commits, refs: refsOf(place) };
}

async function commitWindow(repository: Repository, k: number, time: Date): Promise<string> {
  repository.stage(`deployments.apps/web-${k % 3}.json`, manifest(`web-${k % 3}`, k));
  if (k % 4 === 3) repository.stageDeletion(`configmaps/c-${k}.json`);
  const committed = await repository.commit({ message: `window ${k}`, author: AUTHOR, time });
  if (committed === undefined) throw new Error(`window ${k} changes nothing`);
  return committed.id;
}

/** Every ref but main. */
export function refsOf(place: Place): Map<string, string> {
  const lines = place.lines('for-each-ref', '--format=%(refname) %(objectname)');
  return new Map(
    lines.map((line) => line.split(' ') as [string, string]).filter(([name]) => name !== 'refs/heads/main'),
  );
}

/** Every file of a repository that Git or we read, relative to it. */
export function filesOf(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(directory.length + 1))
    .sort();
}

/** Content by file, for comparing all of a directory to the byte. */
export function contentsOf(directory: string): Map<string, string> {
  return new Map(filesOf(directory).map((file) => [file, readFileSync(join(directory, file), 'hex')]));
}
