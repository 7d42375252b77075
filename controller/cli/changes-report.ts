import { renderActors } from '../core/history/actors.ts';
import { renderRef } from '../core/object.ts';
import { describe, oneLine } from '../core/words.ts';
import type { CommitChanges, ObjectChange } from '../history/changes.ts';
import type { DeletedObject } from '../history/deleted.ts';
import { renderTags, shortId, stamp } from './history-text.ts';

/** Changes for people, a line each, and for machines. */

/** A commit with more is one line in its own words: the first archive of a namespace, new rules. */
const MOST_LINES = 20;
const MOST_WORDS = 3;

export function linesOf(commit: CommitChanges, objects: readonly ObjectChange[]): readonly string[] {
  const who = renderActors(commit.actors, commit.areActorsSure);
  const begin = `${stamp(commit.time)}  ${shortId(commit.id)}  ${oneLine(who)}`;
  const end = commit.tags.length === 0 ? '' : `  ${renderTags(commit.tags)}`;
  const changed =
    objects.length <= MOST_LINES
      ? objects.map((object) => `${begin}  ${nameOf(object)}: ${wordsOf(object)}${end}`)
      : [`${begin}  ${objects.length} objects: ${oneLine(commit.subject)}${end}`];
  const volumes = commit.volumes();
  return volumes === undefined
    ? changed
    : [...changed, `${stamp(commit.time)}  ${shortId(commit.id)}  volumes: ${oneLine(volumes)}`];
}

function nameOf({ ref }: Pick<ObjectChange, 'ref'>): string {
  return oneLine(renderRef(ref));
}

function wordsOf(object: ObjectChange): string {
  const words = [...new Set(object.fields().map((change) => describe(change).short))];
  if (words.length === 0) return object.what;
  const rest = words.length > MOST_WORDS ? `, ${words.length - MOST_WORDS} more` : '';
  return `${object.what === 'recreated' ? 'recreated, ' : ''}${words.slice(0, MOST_WORDS).join(', ')}${rest}`;
}

export function jsonOf(commit: CommitChanges, object: ObjectChange): object {
  const { id, parent, time, subject, tags, actors, areActorsSure } = commit;
  const { ref, path, what } = object;
  const volumes = commit.volumes();
  const fields = object.fields().map((change) => ({ pointer: change.pointer, words: describe(change).long }));
  return {
    commit: id,
    parent,
    time,
    subject,
    tags,
    actors,
    areActorsSure,
    object: renderRef(ref),
    ...ref,
    path,
    what,
    fields,
    ...(volumes === undefined ? {} : { volumes }),
  };
}

export function lineOfDeleted({ ref, deletedIn, lastIn }: DeletedObject): string {
  const who = renderActors(deletedIn.actors, deletedIn.areActorsSure);
  return `${stamp(deletedIn.time)}  ${shortId(deletedIn.id)}  ${oneLine(who)}  ${nameOf({ ref })}: deleted, last in ${shortId(lastIn)}`;
}

export function jsonOfDeleted({ ref, path, deletedIn, lastIn }: DeletedObject): object {
  const { id, time, subject, actors } = deletedIn;
  return { object: renderRef(ref), ...ref, path, deletedIn: id, lastIn, time, subject, actors };
}
