import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { makeDirectory, syncDirectory } from './durable-file.ts';
import { errnoOf, fencedOff, fileFailure, foreign } from './errors.ts';
import type { Guard } from './fenced-file.ts';
import { createRepository } from './layout.ts';
import { openRepository, type Repository } from './repository.ts';
import { type Salvaged, salvage } from './salvage.ts';

/**
 * Sets a damaged repository aside and puts a new one into its place: whole, or nothing changes. The new one is built in
 * `quarantine/NAME-TIME.work/next` while the damaged one still has its place; then the damaged one is moved to `old` beside it, and both
 * go where they belong. A crash in between is finished by the next start, and a writer that lost the data directory meanwhile
 * fails at its first step: the one that took over has renamed the work directory.
 */

const QUARANTINE = 'quarantine';
const WORK = '.work';

export interface ReplaceOptions {
  readonly time: Date;
  readonly signal?: AbortSignal | undefined;
  readonly guard?: Guard | undefined;
  /** Fills the new and empty repository with what its remote has, if it can. */
  readonly recover?: ((repository: Repository) => Promise<void>) | undefined;
  /** Looks at the new repository before it gets its place; what this throws leaves everything as it was. */
  readonly check?: ((repository: Repository) => Promise<void>) | undefined;
}

export interface Replacement {
  /** Where the damaged repository is now, relative to the data directory. */
  readonly movedTo: string;
  readonly from: 'remote' | 'salvage' | 'nothing';
  readonly saved: Salvaged;
}

/** The repository must be open nowhere and the caller must hold the data directory's lock. Throws REPOSITORY_FOREIGN for somebody else's. */
export async function replaceRepository(
  directory: string,
  name: string,
  options: ReplaceOptions,
): Promise<Replacement> {
  const data = resolve(directory);
  const place = join(data, `${name}.git`);
  try {
    await makeDirectory(data, join(data, QUARANTINE));
    const stem = chooseStem(data, `${name}-${options.time.toISOString().replace(/[-:]|\.\d+/g, '')}`);
    const work = `${stem}${WORK}`;
    await mkdir(work);
    try {
      const built = await build(place, join(work, 'next'), options);
      await options.guard?.();
      await moveAside(place, work);
      await settle(work, stem, place);
      return { movedTo: `${QUARANTINE}/${basename(stem)}.git`, ...built };
    } catch (error) {
      if (!existsSync(join(work, 'old'))) await rm(work, { recursive: true, force: true });
      throw error;
    }
  } catch (error) {
    throw fileFailure(place, 'set the damaged repository aside', error);
  }
}

function chooseStem(data: string, wanted: string): string {
  for (let nth = 1; ; nth++) {
    const stem = join(data, QUARANTINE, nth === 1 ? wanted : `${wanted}-${nth}`);
    if (!existsSync(`${stem}.git`) && !existsSync(`${stem}${WORK}`)) return stem;
  }
}

async function build(place: string, next: string, options: ReplaceOptions): Promise<Omit<Replacement, 'movedTo'>> {
  await createRepository(next);
  const isRecovered = options.recover !== undefined && (await recover(next, options.recover));
  const saved = await salvage(place, next, options.signal === undefined ? {} : { signal: options.signal });
  if (saved.isForeign && saved.head === undefined)
    throw foreign(place, 'it is damaged and holds commits of somebody else');
  await using repository = await openRepository(next, { readOnly: true });
  await options.check?.(repository);
  return { from: isRecovered ? 'remote' : saved.head === undefined ? 'nothing' : 'salvage', saved };
}

async function recover(next: string, fill: (repository: Repository) => Promise<void>): Promise<boolean> {
  await using repository = await openRepository(next);
  await fill(repository);
  return repository.head !== undefined;
}

async function moveAside(place: string, work: string): Promise<void> {
  try {
    await rename(place, join(work, 'old'));
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' && !existsSync(work) ? fencedOff(place, 'the damaged repository', error) : error;
  }
  await syncDirectory(work);
  await syncDirectory(dirname(place));
}

/** Both to where they belong, the new one first; each step may have been done before. */
async function settle(work: string, stem: string, place: string): Promise<void> {
  const next = existsSync(place) ? `${stem}-replacement.git` : place;
  if (existsSync(join(work, 'next'))) await rename(join(work, 'next'), next);
  await syncDirectory(dirname(place));
  if (existsSync(join(work, 'old'))) await rename(join(work, 'old'), `${stem}.git`);
  await syncDirectory(dirname(stem));
  await rm(work, { recursive: true, force: true });
}

/** Finishes or drops what a crash has left. To be called once the data directory's lock is ours, before repositories are listed. */
export async function finishReplacements(data: string): Promise<void> {
  const quarantine = join(data, QUARANTINE);
  const names = await readdir(quarantine).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileFailure(data, 'look into the quarantine', error);
  });
  for (const name of names.filter((one) => one.endsWith(WORK))) {
    const stem = join(quarantine, name.slice(0, -WORK.length));
    const repository = /^(.+)-\d{8}T\d{6}Z(?:-\d+)?(?:\.dead)*$/.exec(name.slice(0, -WORK.length))?.[1];
    if (repository !== undefined) await finishOne(join(quarantine, name), stem, join(data, `${repository}.git`));
  }
}

/** Renamed first: whoever was at work there before us can move nothing into it any more. */
async function finishOne(work: string, stem: string, place: string): Promise<void> {
  const ours = `${stem}.dead${WORK}`;
  try {
    await rename(work, ours);
    if (existsSync(join(ours, 'old'))) await settle(ours, stem.replace(/(?:\.dead)+$/, ''), place);
    else await rm(ours, { recursive: true, force: true });
  } catch (error) {
    throw fileFailure(place, 'finish setting a damaged repository aside', error);
  }
}
