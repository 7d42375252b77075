import { ARCHIVE_SETTINGS, type Setting } from './config.ts';

/** What verbs have in common with the archive and with each other: each setting is described once, whoever takes it. */

/** Those with these flags. Throws where one is not there: a misspelled flag would be a setting that nobody has. */
export function only(settings: readonly Setting[], ...flags: readonly string[]): readonly Setting[] {
  return flags.map((wanted) => {
    const found = settings.find(({ flag }) => flag === wanted);
    if (found === undefined) throw new TypeError(`There is no setting --${wanted}`);
    return found;
  });
}

/** All but these. Throws as `only` does. */
export function without(settings: readonly Setting[], ...flags: readonly string[]): readonly Setting[] {
  const left = new Set(only(settings, ...flags));
  return settings.filter((setting) => !left.has(setting));
}

export const DATA_DIRECTORY_SETTINGS: readonly Setting[] = only(ARCHIVE_SETTINGS, 'data-dir');

export const REPOSITORY_SETTING: Setting = {
  flag: 'from',
  value: 'directory',
  help: 'a bare repository of your own, such as a clone, instead of --data-dir',
};

export const OBJECT_SETTING: Setting = {
  flag: 'object',
  value: 'resource/name',
  repeatable: true,
  help: 'only these objects: deployments.apps/web, deploy/web, configmaps/*, secrets',
};

/** What opens archived secrets. */
export const OPENING_SETTINGS: readonly Setting[] = [
  { flag: 'identity', value: 'file', help: 'age identity that opens secrets archived with --secrets encrypt' },
  { flag: 'secret-values', value: 'file', help: 'values for secrets of which only fingerprints are archived' },
];
