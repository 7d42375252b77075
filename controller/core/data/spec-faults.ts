import type { ClusterArchiveSpec, DataSpec } from '../../api/cluster-archive.ts';
import type { LabelSelector } from '../../api/label-selector.ts';
import { KeeperError } from '../../errors.ts';
import { parseRemoteTemplate } from '../remote.ts';
import { isTimeZone } from './calendar.ts';
import { DEFAULTS, milliseconds } from './policy.ts';

export interface SpecFault {
  readonly path: readonly PropertyKey[];
  readonly fault: string;
}

/** What no single field shows: fields that contradict each other, zones and selectors that mean nothing. */
export function specFaults(spec: ClusterArchiveSpec): readonly SpecFault[] {
  const { data, secrets } = spec;
  const [window, maxWindow] = [milliseconds(spec.window ?? '5s'), milliseconds(spec.maxWindow ?? '30s')];
  const encrypts = secrets?.policy === 'encrypt';
  const recipients = secrets?.ageRecipients?.length ?? 0;
  return [
    ...when(
      maxWindow < window,
      [spec.maxWindow === undefined ? 'window' : 'maxWindow'],
      'maxWindow must not be shorter than window',
    ),
    ...when(encrypts && recipients === 0, ['secrets'], 'policy encrypt needs ageRecipients'),
    ...when(!encrypts && recipients > 0, ['secrets', 'ageRecipients'], 'ageRecipients are only for policy encrypt'),
    ...when(
      spec.remote?.credentialsPath !== undefined && spec.remote.credentialsSecretRef !== undefined,
      ['remote', 'credentialsSecretRef'],
      'credentialsPath and credentialsSecretRef name two sources, give one of them',
    ),
    ...remoteFaults(spec.remote?.url),
    ...selectorFaults(spec.labelSelector, ['labelSelector']),
    ...(data === undefined ? [] : dataFaults(data)),
  ];
}

/** The address may hold a password: it is never shown. */
function remoteFaults(url: string | undefined): readonly SpecFault[] {
  if (url === undefined) return [];
  try {
    parseRemoteTemplate(url);
    return [];
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error;
    const problem = error.message.replace(/^Cannot use --remote: /, '').replace(/; nothing was changed$/, '');
    return [{ path: ['remote', 'url'], fault: `remote.url cannot be used: ${problem}` }];
  }
}

function dataFaults(data: DataSpec): readonly SpecFault[] {
  const { retention = {} } = data;
  const minimum = milliseconds(data.minimumInterval ?? DEFAULTS.minimumInterval);
  const maximum = data.maximumInterval === undefined ? Number.POSITIVE_INFINITY : milliseconds(data.maximumInterval);
  const aliases = [
    ['days', 'keepDaily'],
    ['weeks', 'keepWeekly'],
    ['months', 'keepMonthly'],
  ] as const;
  return [
    ...when(
      maximum < minimum,
      ['data', 'maximumInterval'],
      'maximumInterval must not be shorter than minimumInterval (15m when left out)',
    ),
    ...when(
      data.timeout !== undefined && milliseconds(data.timeout) === 0,
      ['data', 'timeout'],
      'timeout must not be 0',
    ),
    ...aliases.flatMap(([alias, name]) =>
      when(
        retention[alias] !== undefined && retention[name] !== undefined,
        ['data', 'retention', alias],
        `${alias} is the same as ${name}, give one of them`,
      ),
    ),
    ...when(
      retention.timeZone !== undefined && !isTimeZone(retention.timeZone),
      ['data', 'retention', 'timeZone'],
      'timeZone is not known, write it like Europe/Berlin or UTC',
    ),
    ...selectorFaults(data.volumes?.labelSelector, ['data', 'volumes', 'labelSelector']),
    ...(data.hooks?.resources ?? []).flatMap((hook, index) => [
      ...selectorFaults(hook.labelSelector, ['data', 'hooks', 'resources', index, 'labelSelector']),
      ...when(
        [hook.pre, hook.held, hook.post].every((steps) => (steps ?? []).length === 0),
        ['data', 'hooks', 'resources', index],
        'a hook needs pre, held or post',
      ),
    ]),
  ];
}

function selectorFaults(selector: LabelSelector | undefined, path: readonly PropertyKey[]): readonly SpecFault[] {
  return (selector?.matchExpressions ?? []).flatMap(({ operator, values = [] }, index) => {
    const takesValues = operator === 'In' || operator === 'NotIn';
    const at = [...path, 'matchExpressions', index];
    if (takesValues && values.length === 0) return [{ path: at, fault: `operator ${operator} needs values` }];
    return when(!takesValues && values.length > 0, [...at, 'values'], `operator ${operator} takes no values`);
  });
}

function when(isWrong: boolean, path: readonly PropertyKey[], fault: string): readonly SpecFault[] {
  return isWrong ? [{ path, fault }] : [];
}
