import { runEvidence } from '../compose.ts';
import { parseOutputFormat, type RawSettings, text, usage } from '../config.ts';
import { readSettings } from '../config-file.ts';
import {
  type HistorySourceConfig,
  LIVE_SETTINGS,
  parseLive,
  parseSource,
  parseTagger,
  TAGGER_SETTING,
} from '../config-history.ts';
import { DATA_DIRECTORY_SETTINGS } from '../config-shared.ts';
import { type Evidence, renderEvidence } from '../core/history/evidence.ts';
import { namespaceOf } from '../core/line.ts';
import { EXIT } from '../errors.ts';
import { selectPoint } from '../git/select-point.ts';
import { tagBeside } from '../git/tag-beside.ts';
import type { History } from '../history/open-history.ts';
import { openNamedHistory } from '../open-history.ts';
import { commandLine, shortId } from './history-text.ts';
import { printLine, printNote, stopSignal } from './output.ts';
import { openProgress } from './progress.ts';
import { defaultTagger } from './tagger.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper tag`: calls a state known-good, with the evidence of that moment. */

/** A running archiver looks twice a second, and may be writing. */
const WAIT_MS = 60_000;
const [GOOD, OURS] = ['good/', 'pre/'];

export const tagCommand: Verb = {
  name: 'tag',
  summary: 'Call a state of a namespace known-good: an annotated tag with evidence',
  arguments: [
    ['<namespace>', 'the namespace, or _cluster for cluster-scoped objects'],
    ['<name>', 'good/NAME; a bare NAME means the same'],
    ['[ref]', 'a commit, a tag or a time; HEAD when left out'],
  ],
  settings: [...DATA_DIRECTORY_SETTINGS, TAGGER_SETTING, ...LIVE_SETTINGS],
  switches: [
    ['-m, --message <text>', 'why it is good'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper tag shop good/friday -m "before the sale"',
    'kubekeeper tag shop release-12 yesterday -m "as tested"',
    'kubectl exec -n kubekeeper-system deploy/kubekeeper -- kubekeeper tag shop good/friday -m "before the sale"',
  ],
  async run([namespace = '', given = '', ref], settings) {
    const { raw } = await readSettings(settings);
    const format = parseOutputFormat(raw);
    const name = parseName(given);
    const why = text(raw, 'message');
    if (why === undefined) throw usage('-m is missing: say in a few words why this state is good');
    const source = parseSource({ ...raw, from: undefined });
    const tagger = parseTagger(raw) ?? defaultTagger();
    const stop = stopSignal();
    try {
      using history = await openNamedHistory(source, namespace);
      const now = new Date();
      const target = ref === undefined ? history.head : await selectPoint(history.archive, ref, now);
      refuseTaken(history, name);
      const evidence = target === history.head ? await gather(history, raw, source, stop.signal) : 'afterwards';
      const message = `${why.trim()}\n\n${renderEvidence(evidence)}\n`;
      const tag = { repository: namespace, name, target, message, tagger };
      const done = await tagBeside(source.dataDirectory, tag, { now, signal: stop.signal, timeoutMs: WAIT_MS });
      const pushed =
        done.by === 'archiver'
          ? 'the running archiver pushes it, where it has a remote'
          : 'the next archive pushes it, where it has a remote';
      if (format === 'json')
        printLine(
          JSON.stringify(
            {
              version: 1,
              repository: namespace,
              tag: name,
              commit: target,
              tagger,
              message,
              pushedBy: done.by === 'archiver' ? 'running archiver' : 'next archive',
            },
            null,
            2,
          ),
        );
      else {
        printLine(`${name} is ${shortId(target)} of ${namespace}; ${pushed}`);
        printLine();
        printLine(message.trimEnd());
        printNote(`see later what is different: ${commandLine(['drift', namespace, '--from', name], source)}`);
      }
      return EXIT.done;
    } catch (error) {
      if (stop.signal.aborted) return EXIT.interrupted;
      throw error;
    } finally {
      stop.dispose();
    }
  },
};

function parseName(given: string): string {
  if (given.startsWith(OURS))
    throw usage(
      `names that begin with "${OURS}" are kubekeeper's own, made before it changes something; choose ${GOOD}NAME`,
    );
  const name = given.startsWith(GOOD) ? given : `${GOOD}${given}`;
  if (name === GOOD || given.startsWith('-')) throw usage(`a tag is named ${GOOD}NAME, not "${given}"`);
  return name;
}

/** Before the cluster is asked. */
function refuseTaken(history: History, name: string): void {
  if (history.archive.refs().has(`refs/tags/${name}`))
    throw usage(
      `the tag ${name} exists in "${history.name}" already; choose another name, kubekeeper tags ${history.name} lists them`,
    );
}

async function gather(
  history: History,
  raw: RawSettings,
  source: HistorySourceConfig,
  signal: AbortSignal,
): Promise<Evidence | 'unknown'> {
  const progress = openProgress();
  const onProgress = (objects: number) => progress.tell(`counting evidence: ${objects} objects`);
  const head = { name: namespaceOf(history.name), directory: history.archive.directory, commit: history.head };
  try {
    return await runEvidence({ ...parseLive(raw), ...source }, head, { signal, onProgress });
  } finally {
    progress.end();
  }
}
