import { type OutputFormat, parseOutputFormat, text } from '../config.ts';
import { parseLimit, parseObjects, parseSource, SOURCE_SETTINGS } from '../config-history.ts';
import { OBJECT_SETTING } from '../config-shared.ts';
import { renderRef } from '../core/object.ts';
import { EXIT } from '../errors.ts';
import { type CommitChanges, changes } from '../history/changes.ts';
import { type DeletedObject, deletedObjects } from '../history/deleted.ts';
import { compileWanted } from '../history/objects.ts';
import { openNamedHistory } from '../open-history.ts';
import { jsonOf, jsonOfDeleted, lineOfDeleted, linesOf } from './changes-report.ts';
import { commandLine, shortId } from './history-text.ts';
import { JsonList } from './json-list.ts';
import { Lines } from './lines.ts';
import { printNote } from './output.ts';
import { openProgress } from './progress.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper changes`: when, who, which object, and what changed in words. */

export const changesCommand: Verb = {
  name: 'changes',
  summary: 'Show what changed in a namespace, when, and who did it, newest first',
  arguments: [['<namespace>', 'the namespace, or _cluster for cluster-scoped objects']],
  settings: [...SOURCE_SETTINGS, OBJECT_SETTING],
  switches: [
    ['--since <when>', 'after a commit or tag, or from a time on: yesterday, 7d, 2026-11-01'],
    ['--until <when>', 'up to a commit, tag or time'],
    ['--limit <number>', 'so many changes at most'],
    ['--deleted', 'objects that are gone, each with the last commit that has it'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper changes shop --since yesterday',
    'kubekeeper changes shop --object deploy/web --limit 10',
    'kubekeeper changes shop --since good/friday -o json',
    'kubekeeper changes shop --deleted',
    'kubekeeper changes shop --from ./shop.git --object "configmaps/*"',
  ],
  async run([namespace = ''], raw) {
    const source = parseSource(raw);
    const options: Options = {
      namespace,
      format: parseOutputFormat(raw),
      limit: parseLimit(raw) ?? Number.POSITIVE_INFINITY,
    };
    using history = await openNamedHistory(source, namespace);
    const wanted = compileWanted(history, parseObjects(raw));
    const [since, until] = [text(raw, 'since'), text(raw, 'until')];
    const progress = openProgress();
    const span = {
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
      now: new Date(),
      onProgress: (commits: number) => progress.tell(`looked at ${commits} commits`),
    };
    const lines = new Lines(progress.end);
    const told =
      raw['deleted'] === true
        ? await printDeleted(deletedObjects(history, wanted, span), options, lines)
        : await printChanges(changes(history, wanted, span), options, lines);
    lines.end();
    progress.end();
    if (options.format === 'text' && told.count === 0) printNote('nothing of that changed in that time');
    if (options.format === 'text' && told.hint !== undefined)
      printNote(`put it back: ${commandLine(told.hint, source)}`);
    return EXIT.done;
  },
};

interface Options {
  readonly namespace: string;
  readonly format: OutputFormat;
  readonly limit: number;
}

interface Told {
  readonly count: number;
  /** The command that takes the newest change back. */
  readonly hint: readonly string[] | undefined;
}

async function printChanges(
  commits: AsyncIterable<CommitChanges>,
  { namespace, format, limit }: Options,
  lines: Lines,
): Promise<Told> {
  const list = format === 'json' ? new JsonList({ version: 1, repository: namespace }, 'changes', lines) : undefined;
  let [count, hint]: [number, readonly string[] | undefined] = [0, undefined];
  for await (const commit of commits) {
    const objects = commit.objects.slice(0, limit - count);
    count += objects.length;
    hint ??= hintFor(namespace, commit);
    if (list === undefined) for (const line of linesOf(commit, objects)) lines.write(`${line}\n`);
    else for (const object of objects) list.add(jsonOf(commit, object));
    if (count >= limit) break;
  }
  list?.end();
  return { count, hint };
}

function hintFor(namespace: string, { parent, objects }: CommitChanges): readonly string[] | undefined {
  const [object] = objects;
  if (parent === undefined || object === undefined) return undefined;
  const prune = object.what === 'created' ? ['--prune'] : [];
  return ['plan', namespace, '--to', shortId(parent), '--object', renderRef(object.ref), ...prune];
}

async function printDeleted(
  deleted: AsyncIterable<DeletedObject>,
  { namespace, format, limit }: Options,
  lines: Lines,
): Promise<Told> {
  const list = format === 'json' ? new JsonList({ version: 1, repository: namespace }, 'deleted', lines) : undefined;
  let [count, hint]: [number, readonly string[] | undefined] = [0, undefined];
  for await (const object of deleted) {
    if (list === undefined) lines.write(`${lineOfDeleted(object)}\n`);
    else list.add(jsonOfDeleted(object));
    hint ??= ['plan', namespace, '--to', shortId(object.lastIn), '--object', renderRef(object.ref)];
    count += 1;
    if (count >= limit) break;
  }
  list?.end();
  return { count, hint };
}
