import type { RestoreConfig } from '../config-restore.ts';
import { quoteWord } from './output.ts';

/** The command that carries a plan out, as a person would type it. */
export function restoreCommandLine(config: RestoreConfig, names: readonly string[] = [config.repository]): string {
  const { selection } = config;
  const flags: (readonly [string, string | undefined])[] = [
    ['--to', config.to],
    ['--from', config.from],
    ['--data-dir', config.dataDirectory === './kubekeeper-data' ? undefined : config.dataDirectory],
    ...selection.objects.map((object) => ['--object', object] as const),
    ...selection.kinds.map((kind) => ['--kinds', kind] as const),
    ['--selector', selection.selector === '' ? undefined : selection.selector],
    ...selection.fields.map((field) => ['--field', field] as const),
    ['--into', config.into],
    ['--volumes', typeof selection.volumes === 'object' ? selection.volumes.join(',') : selection.volumes],
    ['--existing-data', selection.existingData],
    ['--existing', selection.existing === 'update' ? undefined : selection.existing],
    ...selection.unprotect.map((one) => ['--delete-protected', one] as const),
    ['--as', config.asUser],
    ...config.asGroups.map((group) => ['--as-group', group] as const),
    ['--identity', config.identityFile],
    ['--secret-values', config.valuesFile],
  ];
  const words = flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, quoteWord(value)]));
  const switches = [...(selection.prune ? ['--prune'] : []), ...(selection.evenIfManaged ? ['--even-if-managed'] : [])];
  return ['kubekeeper restore', ...names.map(quoteWord), ...words, ...switches].join(' ');
}
