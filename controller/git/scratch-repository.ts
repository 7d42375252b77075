import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileFailure } from './errors.ts';
import { openRepository, type Repository } from './repository.ts';

/** Gives a repository that lasts as long as the work with it: what it takes never touches the one of that name. One at a time per name. */
export async function withScratch<Result>(
  data: string,
  name: string,
  work: (repository: Repository) => Promise<Result>,
): Promise<Result> {
  const directory = join(data, `.${name}.scratch`);
  await remove(directory);
  try {
    await using repository = await openRepository(directory);
    return await work(repository);
  } finally {
    await remove(directory);
  }
}

async function remove(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (error) {
    throw fileFailure(directory, 'remove a temporary repository', error);
  }
}
