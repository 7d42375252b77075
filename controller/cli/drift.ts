import { statSync } from 'node:fs';
import { join } from 'node:path';
import { runLook } from '../compose.ts';
import {
  list as listOf,
  type OutputFormat,
  parseOutputFormat,
  type RawSettings,
  type Setting,
  usage,
} from '../config.ts';
import { readSettings } from '../config-file.ts';
import { type HistorySourceConfig, LIVE_SETTINGS, parseLive, parseObjects, parseSource } from '../config-history.ts';
import { DATA_DIRECTORY_SETTINGS, OBJECT_SETTING } from '../config-shared.ts';
import { isEndedLine, namespaceOf } from '../core/line.ts';
import { EXIT, KeeperError } from '../errors.ts';
import { listRepositories } from '../git/data-directory.ts';
import { selectPoint } from '../git/select-point.ts';
import { compileWanted, type Wanted } from '../history/objects.ts';
import type { History } from '../history/open-history.ts';
import { newestGood } from '../history/tags.ts';
import { openNamedHistory } from '../open-history.ts';
import type { LiveLook } from '../open-live.ts';
import { objectsOf, type Point, printJson, printLines, printOne } from './drift-report.ts';
import { printNote, stopSignal } from './output.ts';
import { openProgress } from './progress.ts';
import { tellUnread, unknownSecretsOf, unreadOf } from './unread-report.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper drift`: does live equal a restore point? Like diff(1): 0 when it does, 1 when not. */

const FROM_SETTING: Setting = {
  flag: 'from',
  value: 'point',
  repeatable: true,
  help: 'the restore point: good/NAME, a commit or a time; the newest good/ tag, or else HEAD, when left out. Also a bare repository of your own instead of --data-dir',
};

export const driftCommand: Verb = {
  name: 'drift',
  summary: 'Compare the live cluster with a known-good state',
  arguments: [['[namespace]', 'the namespace, or _cluster for cluster-scoped objects']],
  settings: [FROM_SETTING, ...DATA_DIRECTORY_SETTINGS, OBJECT_SETTING, ...LIVE_SETTINGS],
  switches: [
    ['--all', 'every namespace of the data directory, a line each'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper drift shop',
    'kubekeeper drift shop --from good/friday --object deploy/web',
    'kubekeeper drift shop --from ./shop.git --from yesterday',
    'kubekeeper drift --all -o json',
  ],
  async run([namespace], given) {
    const { raw } = await readSettings(given);
    const format = parseOutputFormat(raw);
    const { source, from } = parseFrom(raw);
    const isAll = raw['all'] === true;
    if (isAll === (namespace !== undefined)) throw usage('name one namespace, or give --all');
    if (isAll && source.from !== undefined)
      throw usage('--all is about a data directory, and --from names a repository');
    const names = isAll
      ? (await listRepositories(source.dataDirectory)).filter((name) => !isEndedLine(name))
      : [namespace as string];
    const stop = stopSignal();
    try {
      return await driftOf(names, { source, from, raw, format, isAll, signal: stop.signal });
    } catch (error) {
      if (stop.signal.aborted) return EXIT.interrupted;
      throw error;
    } finally {
      stop.dispose();
    }
  },
};

/** `--from` names a restore point, a directory with a repository, or one of each. */
function parseFrom(raw: RawSettings): { readonly source: HistorySourceConfig; readonly from: string | undefined } {
  const given = listOf(raw, 'from');
  const directories = given.filter(isRepository);
  const points = given.filter((one) => !isRepository(one));
  if (directories.length > 1 || points.length > 1) throw usage('--from takes one restore point, and one directory');
  const [directory] = directories;
  const source = parseSource({ ...raw, from: undefined });
  return { source: directory === undefined ? source : { ...source, from: directory }, from: points[0] };
}

function isRepository(word: string): boolean {
  return word.endsWith('.git') || statSync(join(word, 'HEAD'), { throwIfNoEntry: false })?.isFile() === true;
}

interface Asked {
  readonly source: HistorySourceConfig;
  readonly from: string | undefined;
  readonly raw: RawSettings;
  readonly format: OutputFormat;
  readonly isAll: boolean;
  readonly signal: AbortSignal;
}

async function driftOf(names: readonly string[], asked: Asked): Promise<number> {
  using histories = new DisposableStack();
  const points: Point[] = [];
  for (const name of names) {
    const history = histories.use(await openNamedHistory(asked.source, name));
    const point = await pointOf(history, asked);
    if (point !== undefined) points.push(point);
  }
  const look = await lookAt(points, asked);
  if (asked.format === 'json') printJson(points, look, asked.isAll);
  else if (asked.isAll) printLines(points, look);
  else printOne(points[0] as Point, look, asked.source);
  const wanted = { includes: () => true, mayBeOf: () => true };
  const isWhole =
    asked.format === 'json'
      ? isAllRead(look, points[0]?.wanted ?? wanted)
      : tellUnread(look, points[0]?.wanted ?? wanted);
  if (look.drifts.some((drift, index) => objectsOf(drift, points[index] as Point).length > 0)) return EXIT.failed;
  return isWhole ? EXIT.done : EXIT.partial;
}

/** With --all, a namespace that does not know the tag is left out: it was not there, or nobody called it good. */
async function pointOf(history: History, { from, raw, isAll }: Asked): Promise<Point | undefined> {
  try {
    const commit = from === undefined ? newestGood(history) : await selectPoint(history.archive, from, new Date());
    return { history, commit, wanted: compileWanted(history, parseObjects(raw)) };
  } catch (error) {
    if (!isAll || !(error instanceof KeeperError) || error.code !== 'USAGE_INVALID') throw error;
    printNote(`${history.name}: left out: ${error.message}`);
    return undefined;
  }
}

async function lookAt(points: readonly Point[], { source, raw, signal }: Asked): Promise<LiveLook> {
  const progress = openProgress();
  const onProgress = (objects: number) => progress.tell(`looking at the cluster: ${objects} objects`);
  const places = points.map(({ history, commit }) => ({
    name: namespaceOf(history.name),
    directory: history.archive.directory,
    commit,
  }));
  try {
    return await runLook({ ...parseLive(raw), ...source }, places, { signal, onProgress });
  } finally {
    progress.end();
  }
}

function isAllRead(look: LiveLook, wanted: Wanted): boolean {
  return unreadOf(look, wanted).length === 0 && unknownSecretsOf(look, wanted) === 0;
}
