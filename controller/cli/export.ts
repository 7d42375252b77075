import {
  choice,
  isOn,
  list,
  parseDataDirectory,
  parseOutputFormat,
  type RawSettings,
  type Setting,
  text,
  usage,
} from '../config.ts';
import { DATA_DIRECTORY_SETTINGS, OBJECT_SETTING, OPENING_SETTINGS, REPOSITORY_SETTING } from '../config-shared.ts';
import { EVERYTHING } from '../core/restore/plan.ts';
import { EXIT, KeeperError } from '../errors.ts';
import { type ExportSource, type OpenExport, openExport } from '../open-export.ts';
import { type Summary, writeFiles, writeYaml, writeZip } from './export-formats.ts';
import { openOutput } from './export-output.ts';
import { printLine, printNote } from './output.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper export`: a restore point as files, for people who want files. No cluster is asked. */

const FORMATS = ['zip', 'yaml', 'kubectl'] as const;

const EXPORT_SETTINGS: readonly Setting[] = [
  {
    flag: 'at',
    value: 'point',
    default: 'HEAD',
    help: 'a commit, a tag (good/NAME), or a time such as yesterday or 2h',
  },
  {
    flag: 'format',
    value: 'form',
    default: 'yaml',
    choices: FORMATS,
    help: 'yaml: one file for kubectl, in the order of a restore; kubectl: a directory of numbered files, with the definitions of custom resources; zip: the files as in Git',
  },
  {
    flag: 'output-file',
    value: 'path',
    help: 'the file or, with --format kubectl, the directory to make; - is standard output (yaml, zip)',
  },
  OBJECT_SETTING,
  { flag: 'elsewhere', help: 'for another cluster: leave out what this one gave out, such as cluster IPs' },
  ...OPENING_SETTINGS,
  REPOSITORY_SETTING,
  ...DATA_DIRECTORY_SETTINGS,
];

export const exportCommand: Verb = {
  name: 'export',
  summary: 'Write a restore point as files: one YAML for kubectl, numbered files, or a zip of what lies in Git',
  arguments: [['<namespace>', 'the namespace, or _cluster for cluster-scoped objects']],
  settings: EXPORT_SETTINGS,
  switches: [['-o, --output <format>', 'text or json (text): how the summary is told']],
  examples: [
    'kubekeeper export shop --at good/monday > shop.yaml',
    'kubekeeper export shop --at yesterday --format kubectl --output-file shop-files',
    'kubekeeper export shop --format zip --output-file shop.zip',
    "kubekeeper export shop --at 1a2b3c4 --object 'configmaps/*' | kubectl diff -f -",
  ],
  async run([repository = ''], raw) {
    const format = choice('format', text(raw, 'format') ?? 'yaml', FORMATS);
    const told = parseOutputFormat(raw);
    const source = parseSource(repository, raw, format === 'kubectl');
    const isOpen = source.identityFile !== undefined || source.valuesFile !== undefined;
    if (isOpen && format === 'zip')
      throw usage(
        '--format zip holds the files as they lie in Git, sealed; --identity and --secret-values are for yaml and kubectl',
      );
    const path = parseOutputFile(raw, format, told === 'json');
    await using opened = await openExport(source);
    await using output = await openOutput(path, { isDirectory: format === 'kubectl', isPrivate: isOpen });
    const options = {
      selection: { ...EVERYTHING, objects: list(raw, 'object') },
      elsewhere: isOn(raw['elsewhere']),
    };
    const write = {
      zip: () => writeZip(opened.point, options.selection, output),
      yaml: () => writeYaml(opened, options, output),
      kubectl: () => writeFiles(opened, options, output),
    };
    const summary = await write[format]();
    refuseUnused(opened.opener.unused());
    await output.keep();
    tell(opened, summary, { path, isOpen, told });
    return EXIT.done;
  },
};

function parseSource(repository: string, raw: RawSettings, withDefinitions: boolean): ExportSource {
  if (!/^(?:_cluster|[a-z0-9][a-z0-9.-]*)$/.test(repository)) throw usage(`"${repository}" is no namespace`);
  return {
    repository,
    at: text(raw, 'at') ?? 'HEAD',
    dataDirectory: parseDataDirectory(raw),
    from: text(raw, 'from'),
    identityFile: text(raw, 'identity'),
    valuesFile: text(raw, 'secretValues'),
    withDefinitions,
  };
}

function parseOutputFile(raw: RawSettings, format: (typeof FORMATS)[number], isJson: boolean): string {
  const path = text(raw, 'outputFile')?.replace(/(?<=.)\/+$/, '');
  if (format === 'kubectl' && (path === undefined || path === '-'))
    throw usage('--format kubectl makes a directory: name it with --output-file');
  if (isJson && (path === undefined || path === '-'))
    throw usage('-o json tells a summary on standard output: name a file with --output-file');
  if (format === 'zip' && (path === undefined || path === '-') && process.stdout.isTTY)
    throw usage('a zip is no text for a terminal: name a file with --output-file');
  return path ?? '-';
}

/** Nothing is kept of an export that lacks what somebody brought a value for. */
function refuseUnused(unused: readonly string[]): void {
  if (unused.length === 0) return;
  throw new KeeperError(
    `Cannot use the secret values: there is no ${unused.join(', ')} among what is exported; nothing was written, check the names`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}

function tell(
  opened: OpenExport,
  summary: Summary,
  how: { readonly path: string; readonly isOpen: boolean; readonly told: 'text' | 'json' },
): void {
  const { repository, commit, time, tags, ignored } = opened.point;
  for (const warning of opened.opener.warnings) printNote(`warning: ${warning}`);
  if (how.isOpen)
    printNote('warning: the output holds secrets in clear; keep it private and delete it when it is used');
  if (how.told === 'json') {
    printLine(
      JSON.stringify({ version: 1, repository, commit, time, tags, path: how.path, ...summary, ignored }, null, 2),
    );
    return;
  }
  for (const name of ignored) printNote(`note: ${name} is not ours and was left alone`);
  for (const { path, why } of summary.leftOut) printNote(`left out: ${path}: ${why}`);
  for (const path of summary.large)
    printNote(`note: ${path} is too large for kubectl apply alone; use kubectl apply --server-side`);
  const where = how.path === '-' ? '' : ` to ${how.path}`;
  printNote(
    `exported ${summary.objects} objects of ${repository} at ${commit.slice(0, 10)} of ${time.toISOString().slice(0, 19)}Z${where}`,
  );
  if (summary.howTo !== '')
    printNote(`apply it: ${how.path === '-' ? summary.howTo : inPlace(summary.howTo, how.path)}`);
}

function inPlace(howTo: string, path: string): string {
  return howTo.includes(' FILE') ? howTo.replace(' FILE', ` ${path}`) : `cd ${path} && ${howTo}`;
}
