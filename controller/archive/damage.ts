import { KeeperError } from '../errors.ts';

/** A repository that cannot be read as it was written: found when it is opened, or later by whoever reads it. */
export type Damage = KeeperError & { readonly code: 'REPOSITORY_DAMAGED' };

export function isDamage(error: unknown): error is Damage {
  return error instanceof KeeperError && error.code === 'REPOSITORY_DAMAGED';
}

/** 'objects/pack/pack-1.pack is cut short or was changed', without what a person would have to do by hand. */
export function reasonOf(damage: Damage): string {
  const { file, problem } = damage.details;
  return file === undefined || problem === undefined ? damage.message : `${file} ${problem}`;
}

/** The name of the repository that it is about; undefined where the error does not say. */
export function damagedRepository(damage: Damage): string | undefined {
  return /([^/]+)\.git$/.exec(String(damage.details['directory']))?.[1];
}
