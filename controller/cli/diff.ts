import { runLook } from '../compose.ts';
import type { RawSettings } from '../config.ts';
import { parseOutputFormat } from '../config.ts';
import { readSettings } from '../config-file.ts';
import {
  type HistorySourceConfig,
  LIVE_SETTINGS,
  parseLive,
  parseObjects,
  parseSource,
  SOURCE_SETTINGS,
} from '../config-history.ts';
import { OBJECT_SETTING } from '../config-shared.ts';
import { namespaceOf } from '../core/line.ts';
import { renderRef } from '../core/object.ts';
import { EXIT } from '../errors.ts';
import { readCommit } from '../git/commit-queue.ts';
import { selectPoint } from '../git/select-point.ts';
import { diffPoints } from '../history/diff.ts';
import { compileWanted, type Wanted } from '../history/objects.ts';
import type { History } from '../history/open-history.ts';
import { openNamedHistory } from '../open-history.ts';
import { jsonOfDifference, printDifference, printRaw, type ShownDifference } from './differences-report.ts';
import { commandLine, shortId } from './history-text.ts';
import { JsonList } from './json-list.ts';
import { printNote, stopSignal } from './output.ts';
import { openProgress } from './progress.ts';
import { tellUnread } from './unread-report.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper diff`: what has to be done to one state to come to another, field by field. */

const LIVE = 'live';

export const diffCommand: Verb = {
  name: 'diff',
  summary: 'Show what differs between two states of a namespace, or between one and the live cluster',
  arguments: [
    ['<namespace>', 'the namespace, or _cluster for cluster-scoped objects'],
    ['<a>', 'a commit, a tag (good/NAME) or a time (yesterday, 7d)'],
    ['[b]', 'another, or "live" for the cluster as it is now; HEAD when left out'],
  ],
  settings: [...SOURCE_SETTINGS, OBJECT_SETTING, ...LIVE_SETTINGS],
  switches: [
    ['--raw', 'as git diff shows it; git apply takes it'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper diff shop good/friday',
    'kubekeeper diff shop yesterday live',
    'kubekeeper diff shop 1a2b3c4~1 1a2b3c4 --object deploy/web',
    'kubekeeper diff shop HEAD~5 HEAD --raw',
  ],
  async run([namespace = '', a = '', b = 'HEAD'], raw) {
    const format = parseOutputFormat(raw);
    const source = parseSource(raw);
    using history = await openNamedHistory(source, namespace);
    const wanted = compileWanted(history, parseObjects(raw));
    const now = new Date();
    const from = await selectPoint(history.archive, a, now);
    const to = b === LIVE ? undefined : await selectPoint(history.archive, b, now);
    const found =
      to === undefined
        ? await lookAtLive({ history, source, wanted, raw }, from)
        : { objects: diffPoints(history, [from, to], wanted), isWhole: true };
    const head = {
      version: 1,
      repository: namespace,
      from: describe(history, from),
      to: to === undefined ? LIVE : describe(history, to),
    };
    const list = format === 'json' ? new JsonList(head, 'objects') : undefined;
    const print = raw['raw'] === true ? printRaw : printDifference;
    let first: ShownDifference | undefined;
    for (const difference of found.objects) {
      first ??= difference;
      if (list === undefined) print(difference);
      else list.add(jsonOfDifference(difference));
    }
    list?.end();
    if (format === 'text') {
      if (first === undefined) printNote(found.isWhole ? 'nothing differs' : 'nothing differs in what could be read');
      else
        printNote(
          `put it back: ${commandLine(['plan', namespace, '--to', shortId(from), '--object', renderRef(first.ref)], source)}`,
        );
    }
    return found.isWhole ? EXIT.done : EXIT.partial;
  },
};

function describe({ archive, tags }: History, commit: string): object {
  return { commit, time: readCommit(archive.store, commit).time, tags: tags.get(commit) ?? [] };
}

async function lookAtLive(
  asked: {
    readonly history: History;
    readonly source: HistorySourceConfig;
    readonly wanted: Wanted;
    readonly raw: RawSettings;
  },
  commit: string,
): Promise<{ readonly objects: readonly ShownDifference[]; readonly isWhole: boolean }> {
  const { history, source, wanted, raw } = asked;
  const point = { name: namespaceOf(history.name), directory: history.archive.directory, commit };
  const progress = openProgress();
  const stop = stopSignal();
  try {
    const onProgress = (objects: number) => progress.tell(`looking at the cluster: ${objects} objects`);
    const live = parseLive((await readSettings(raw)).raw);
    const look = await runLook({ ...live, ...source }, [point], { signal: stop.signal, onProgress });
    progress.end();
    const isWhole = tellUnread(look, wanted);
    return { objects: (look.drifts[0]?.objects ?? []).filter(({ ref }) => wanted.includes(ref)), isWhole };
  } finally {
    progress.end();
    stop.dispose();
  }
}
