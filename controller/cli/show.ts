import { parseOutputFormat } from '../config.ts';
import { parseSource, SOURCE_SETTINGS } from '../config-history.ts';
import { renderActors } from '../core/history/actors.ts';
import { parse } from '../core/history/field-difference.ts';
import { renderRef } from '../core/object.ts';
import { renderYaml } from '../core/render-yaml.ts';
import { oneLine } from '../core/words.ts';
import { EXIT } from '../errors.ts';
import { type ShownObject, showObject } from '../history/show.ts';
import { openNamedHistory } from '../open-history.ts';
import { commandLine, shortId, stamp } from './history-text.ts';
import { printNote } from './output.ts';
import { openProgress } from './progress.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper show`: one object as it is archived, also one that is gone. */

export const showCommand: Verb = {
  name: 'show',
  summary: 'Show an archived object, also one that was deleted',
  arguments: [
    ['<namespace>', 'the namespace, or _cluster for cluster-scoped objects'],
    ['<object>', '[REF:]RESOURCE/NAME: deployments.apps/web, good/friday:deploy/web; HEAD without REF'],
  ],
  settings: SOURCE_SETTINGS,
  switches: [['-o, --output <format>', 'text for YAML, or json for the very bytes in Git (text)']],
  examples: [
    'kubekeeper show shop deploy/web',
    'kubekeeper show shop good/friday:deployments.apps/web',
    'kubekeeper show shop yesterday:configmaps/app -o json',
  ],
  async run([namespace = '', target = ''], raw) {
    const format = parseOutputFormat(raw);
    const source = parseSource(raw);
    using history = await openNamedHistory(source, namespace);
    const progress = openProgress();
    const onProgress = (commits: number) => progress.tell(`looked at ${commits} commits`);
    const shown = await showObject(history, parseTarget(target), { now: new Date(), onProgress }).finally(progress.end);
    if (format === 'json') process.stdout.write(shown.bytes);
    else process.stdout.write(asYaml(shown));
    if (shown.deletedIn !== undefined) printNote(describeDeletion(shown));
    if (shown.volumes !== undefined) printNote(`volumes in ${shortId(shown.commit)}: ${oneLine(shown.volumes)}`);
    if (format === 'text') {
      const hint = ['plan', namespace, '--to', shortId(shown.commit), '--object', renderRef(shown.ref)];
      printNote(`put it back: ${commandLine(hint, source)}`);
    }
    return EXIT.done;
  },
};

/** A time may hold colons; a resource holds none, and a name in `rbac` may: the reference ends at the last one before the slash. */
function parseTarget(target: string): { readonly object: string; readonly at: string | undefined } {
  const [, at, object] = /^(.*):([^:/]+\/.*)$/s.exec(target) ?? [];
  return object === undefined ? { object: target, at: undefined } : { object, at };
}

function asYaml({ bytes }: ShownObject): string {
  const value = parse(bytes.toString());
  return value === undefined ? bytes.toString().split('\n').map(oneLine).join('\n') : renderYaml(value);
}

function describeDeletion({ ref, commit, time, deletedIn }: ShownObject): string {
  if (deletedIn === undefined) return '';
  const who = renderActors(deletedIn.actors, deletedIn.areActorsSure);
  return `${oneLine(renderRef(ref))} was deleted in ${shortId(deletedIn.id)} at ${stamp(deletedIn.time)} by ${oneLine(who)}; this is its last version, in ${shortId(commit)} of ${stamp(time)}`;
}
