import { parseOutputFormat } from '../config.ts';
import { parseSource, SOURCE_SETTINGS } from '../config-history.ts';
import { oneLine } from '../core/words.ts';
import { EXIT } from '../errors.ts';
import { type TagState, tagStates } from '../history/tags.ts';
import { openNamedHistory } from '../open-history.ts';
import { commandLine, shortId, stamp } from './history-text.ts';
import { printLine, printNote, renderTable } from './output.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper tags`: the states that have a name, and how far the archive is from each. */

export const tagsCommand: Verb = {
  name: 'tags',
  summary: 'List the known-good states and safety points of a namespace',
  arguments: [['<namespace>', 'the namespace, or _cluster for cluster-scoped objects']],
  settings: SOURCE_SETTINGS,
  switches: [['-o, --output <format>', 'text or json (text)']],
  examples: ['kubekeeper tags shop', 'kubekeeper tags shop -o json'],
  async run([namespace = ''], raw) {
    const format = parseOutputFormat(raw);
    const source = parseSource(raw);
    using history = await openNamedHistory(source, namespace);
    const tags = tagStates(history);
    if (format === 'json') {
      const { head, damagedTags: damaged } = history;
      printLine(JSON.stringify({ version: 1, repository: namespace, head, tags: tags.map(jsonOf), damaged }, null, 2));
      return EXIT.done;
    }
    const rows = tags.map(rowOf);
    if (rows.length > 0) printLine(renderTable([['name', 'when', 'commit', 'by', 'now', 'says'], ...rows]));
    for (const { name, problem } of history.damagedTags)
      printNote(`the tag ${oneLine(name)} is damaged: ${problem}; all others can be used`);
    const good = tags.find(({ name }) => name.startsWith('good/'));
    if (good !== undefined)
      printNote(`see what is different now: ${commandLine(['drift', namespace, '--from', good.name], source)}`);
    // A clone is only read.
    else if (source.from === undefined)
      printNote(`name a good state: ${commandLine(['tag', namespace, 'good/NAME', '-m', 'WHY'], source)}`);
    return EXIT.done;
  },
};

function rowOf({ name, time, commit, tagger, drifted, message }: TagState): readonly string[] {
  const now = drifted === 0 ? 'the same' : `${drifted} ${drifted === 1 ? 'object' : 'objects'} drifted`;
  const says = oneLine(message.split('\n', 1)[0] as string);
  return [oneLine(name), stamp(time), shortId(commit), oneLine(tagger?.name ?? '-'), now, says];
}

function jsonOf({ name, time, commit, tagger, drifted, message }: TagState): object {
  return { name, time, commit, ...(tagger === undefined ? {} : { tagger }), drifted, message };
}
