import { ARCHIVE_SETTINGS, parseOutputFormat, type RawSettings, text, usage } from '../config.ts';
import { readArchiveConfig } from '../config-file.ts';
import { parseTagger, TAGGER_SETTING } from '../config-history.ts';
import { without } from '../config-shared.ts';
import { CLUSTER_REPOSITORY } from '../core/object.ts';
import { oneLine } from '../core/words.ts';
import { EXIT } from '../errors.ts';
import { type BackedUp, type Backup, type BackupProgress, type BackupWish, backupAll } from '../open-backup.ts';
import { renderClaims } from './claim-lines.ts';
import { shortId } from './history-text.ts';
import { printLine, printNote, stopSignal } from './output.ts';
import { openProgress } from './progress.ts';
import { isWhole, printGaps } from './report.ts';
import { defaultTagger } from './tagger.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper backup`: a commit with fresh snapshots of all volumes, now; says what became of each claim. */

/** What a running archiver has, and the arguments say. */
const NOT_HERE = [
  ...['namespaces', 'exclude-namespaces', 'listen', 'leader-elect', 'lease', 'log-level'],
  ...['apply-merged', 'apply-as', 'apply-identity', 'apply-every', 'require-approval'],
];

export const backupCommand: Verb = {
  name: 'backup',
  summary: 'Commit a namespace now with fresh snapshots of its volumes, wait, and say the result of each claim',
  arguments: [['<namespaces...>', 'the namespaces']],
  settings: [...without(ARCHIVE_SETTINGS, ...NOT_HERE), TAGGER_SETTING],
  switches: [
    ['--tag <name>', 'tag the commit, such as good/friday: its data stays as long as the tag'],
    ['-m, --message <text>', 'with --tag: why'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper backup shop',
    'kubekeeper backup shop --tag good/before-upgrade -m "before 2.0"',
    'kubekeeper backup shop office --config policy.yaml -o json',
    'kubectl exec -n kubekeeper-system deploy/kubekeeper -- kubekeeper backup shop',
  ],
  async run(namespaces, raw) {
    const config = await readArchiveConfig(raw);
    const format = parseOutputFormat(raw);
    const tag = parseTag(raw);
    const stop = stopSignal();
    const progress = openProgress();
    const told = new Map<string, BackupProgress>();
    const onProgress = (one: BackupProgress) => {
      told.set(one.repository, one);
      progress.tell(wordsOf([...told.values()]));
    };
    try {
      const wishes = [...new Set(namespaces.map(requireName))].map((repository) => ({
        repository,
        ...tag,
        signal: stop.signal,
        onProgress,
      }));
      const backup = await backupAll(config, wishes);
      progress.end();
      print(backup, config.dataDirectory, format);
      if (tag.tag !== undefined && config.remote !== undefined && backup.results.some(({ by }) => by === 'us'))
        printNote('the next archive pushes the tag');
      return exitOf(backup);
    } catch (error) {
      if (stop.signal.aborted) return EXIT.interrupted;
      throw error;
    } finally {
      progress.end();
      stop.dispose();
    }
  },
};

/** A glob would say nothing of a namespace that is not there. */
function requireName(name: string): string {
  if (name === CLUSTER_REPOSITORY || /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name;
  throw usage(`backup takes names of namespaces, not "${oneLine(name)}"`);
}

function parseTag(raw: RawSettings): Pick<BackupWish, 'tag' | 'message' | 'tagger'> {
  const [tag, why] = [text(raw, 'tag'), text(raw, 'message')];
  if (tag === undefined) {
    if (why !== undefined) throw usage('-m needs --tag');
    return {};
  }
  if (tag.startsWith('pre/'))
    throw usage(
      'names that begin with "pre/" are kubekeeper\'s own, made before it changes something; choose good/NAME',
    );
  const message = why === undefined ? {} : { message: `${why.trim()}\n` };
  return { tag, ...message, tagger: parseTagger(raw) ?? defaultTagger() };
}

function wordsOf(told: readonly BackupProgress[]): string {
  return told.map(({ repository, ready, claims }) => `${repository}: ${ready} of ${claims} claims ready`).join(', ');
}

function print({ results, outcomes }: Backup, dataDirectory: string, format: 'text' | 'json'): void {
  if (format === 'json') {
    const gaps = outcomes.flatMap((one) => (one.type === 'skipped' || one.type === 'held' ? [one] : []));
    printLine(JSON.stringify({ version: 1, dataDirectory, results, gaps }, null, 2));
    return;
  }
  for (const result of results) printResult(result);
  printGaps({ outcomes });
}

function printResult({ repository, commit, tag, words, claims }: BackedUp): void {
  const name = tag === undefined ? '' : `, ${oneLine(tag)}`;
  printLine(`${repository}: commit ${shortId(commit)}${name}; volumes: ${words}`);
  if (claims.length > 0) printLine(renderClaims(claims));
}

/** 1: what became of some data is not known. 3: some is not there; the objects are archived. */
function exitOf({ results, outcomes }: Backup): number {
  const states = new Set(results.flatMap(({ claims }) => claims.map(({ state }) => state)));
  if (states.has('pending') || states.has('missing')) return EXIT.failed;
  const isLost = states.has('failed') || states.has('impossible') || states.has('pruned');
  return isLost || !isWhole({ outcomes }) ? EXIT.partial : EXIT.done;
}
