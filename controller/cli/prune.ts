import {
  CONFIG_SETTING,
  CONNECTION_SETTINGS,
  parseConnectionConfig,
  parseDataDirectory,
  parseOutputFormat,
  usage,
} from '../config.ts';
import { readSettings } from '../config-file.ts';
import { DATA_DIRECTORY_SETTINGS } from '../config-shared.ts';
import type { RetentionPlan, RetentionVerdict } from '../core/data/retention.ts';
import { compileGlobs } from '../core/glob.ts';
import { CLUSTER_REPOSITORY } from '../core/object.ts';
import { oneLine } from '../core/words.ts';
import type { Pruned } from '../data/prune.ts';
import { EXIT } from '../errors.ts';
import { listRepositories } from '../git/data-directory.ts';
import { isBeingWritten } from '../git/is-written.ts';
import { planPrunes, pruneNow } from '../open-prune.ts';
import { shortId, stamp } from './history-text.ts';
import { printLine, printNote, renderTable, stopSignal } from './output.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper prune`: which volume data a policy keeps and which it lets go, each with its reasons; then it goes. */

export const pruneCommand: Verb = {
  name: 'prune',
  summary: 'Delete the volume data that a policy does not keep; with --dry-run only say what and why',
  arguments: [['[namespaces...]', 'only these (globs); all of the data directory when left out']],
  settings: [CONFIG_SETTING, ...DATA_DIRECTORY_SETTINGS, ...CONNECTION_SETTINGS],
  switches: [
    ['--dry-run', 'only say what stays and what goes, with every reason'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper prune --config policy.yaml --dry-run',
    'kubekeeper prune shop --config policy.yaml',
    'kubectl exec -n kubekeeper-system deploy/kubekeeper -- kubekeeper prune --dry-run',
  ],
  async run(names, given) {
    const { raw, data } = await readSettings(given);
    if (data === undefined) throw usage('--config is missing, or has no "data": the policy says what stays');
    const dataDirectory = parseDataDirectory(raw);
    const format = parseOutputFormat(raw);
    const isDryRun = given['dryRun'] === true;
    const repositories = await repositoriesIn(dataDirectory, names);
    if (!isDryRun && (await isBeingWritten(dataDirectory)))
      throw usage(
        `the running archiver of "${dataDirectory}" prunes by itself, by its own --config; --dry-run shows what goes`,
      );
    const { retention } = data;
    const plans = await planPrunes(dataDirectory, repositories, {
      retention,
      onOdd: (error) => printNote(error.message),
    });
    if (format === 'text') for (const [name, plan] of plans) printPlan(name, plan);
    if (isDryRun) {
      if (format === 'json') printJson(plans, new Map());
      else printNote('nothing was changed');
      return EXIT.done;
    }
    const pruned = await carryOut({ ...parseConnectionConfig(raw), dataDirectory, retention }, repositories);
    if (format === 'json') printJson(plans, pruned);
    else for (const [name, one] of pruned) printPruned(name, one);
    return [...pruned.values()].every(({ left }) => left.length === 0) ? EXIT.done : EXIT.partial;
  },
};

async function repositoriesIn(dataDirectory: string, names: readonly string[]): Promise<readonly string[]> {
  const known = (await listRepositories(dataDirectory)).filter((name) => name !== CLUSTER_REPOSITORY);
  for (const name of names)
    if (!known.some(compileGlobs([name]))) throw usage(`"${dataDirectory}" has no archive of "${oneLine(name)}"`);
  return names.length === 0 ? known : known.filter(compileGlobs(names));
}

async function carryOut(config: Parameters<typeof pruneNow>[0], repositories: readonly string[]) {
  const stop = stopSignal();
  try {
    return new Map(await Array.fromAsync(pruneNow(config, repositories, stop.signal)));
  } finally {
    stop.dispose();
  }
}

function printPlan(name: string, { verdicts, prune }: RetentionPlan): void {
  if (verdicts.length === 0) return;
  const going = verdicts.filter(({ keep }) => !keep).length;
  printLine(
    `${name}: ${verdicts.length - going} stay, ${going} go with ${prune.length} ${prune.length === 1 ? 'snapshot' : 'snapshots'}`,
  );
  printLine(renderTable(verdicts.map(rowOf)));
}

function rowOf({ point, keep, reasons }: RetentionVerdict): readonly string[] {
  const at = stamp(new Date(point.time));
  return [`  ${keep ? 'keep' : 'go'}`, at, shortId(point.id), point.state, oneLine(reasons.join(', '))];
}

function printPruned(name: string, { removed, left }: Pruned): void {
  if (removed.length > 0)
    printLine(`${name}: ${removed.length} ${removed.length === 1 ? 'snapshot is' : 'snapshots are'} gone`);
  for (const { snapshot, reason } of left) printNote(`${name}: ${snapshot} is there still: ${reason}; prune again`);
}

function printJson(plans: ReadonlyMap<string, RetentionPlan>, pruned: ReadonlyMap<string, Pruned>): void {
  const repositories = [...plans].map(([repository, { verdicts, prune }]) => ({
    repository,
    points: verdicts.map(({ point, keep, reasons }) => ({
      commit: point.id,
      askedAt: new Date(point.time),
      state: point.state,
      tags: point.tags,
      claims: point.claims,
      keep,
      reasons,
    })),
    snapshots: prune,
    ...resultOf(pruned.get(repository)),
  }));
  printLine(JSON.stringify({ version: 1, repositories }, null, 2));
}

function resultOf(pruned: Pruned | undefined) {
  return pruned === undefined ? {} : { removed: pruned.removed, left: pruned.left };
}
