import assert from 'node:assert/strict';
import type { Place } from './bare-repository.ts';

/** What a value may be: what was promised last, or what was begun after that. */
interface Expected {
  promised: string | undefined;
  readonly begun: string[];
}

/** What writers said of one repository (see writing-child.ts), and whether the real Git finds it there. */
export class Promises {
  readonly commits = new Set<string>();
  readonly #tags = new Map<string, string>();
  readonly #notes = new Map<string, Expected>();
  readonly #refs = new Map<string, Expected>();

  get count(): number {
    return this.commits.size + this.#tags.size + this.#notes.size + this.#refs.size;
  }

  take(line: string): void {
    const [verb, what, name = '', value = ''] = line.split(' ');
    if (what === 'commit') this.commits.add(name);
    else if (what === 'tag') this.#tags.set(name, value);
    else if (what === 'note' || what === 'ref') {
      const all = what === 'note' ? this.#notes : this.#refs;
      const expected = all.get(name) ?? { promised: what === 'ref' ? 'none' : undefined, begun: [] };
      all.set(name, expected);
      if (verb === 'try') expected.begun.push(value);
      else {
        expected.promised = value;
        expected.begun.splice(0, expected.begun.indexOf(value) + 1);
      }
    }
  }

  /** Throws when Git complains, or does not find what was promised. */
  verify(place: Place): void {
    place.fsck();
    const refs = new Map(place.lines('for-each-ref', '--format=%(refname) %(objectname)').map((line) => pair(line)));
    const reachable = new Set(refs.has('refs/heads/main') ? place.lines('rev-list', 'main') : []);
    assert.deepEqual(
      [...this.commits].filter((id) => !reachable.has(id)),
      [],
      'commits that were lost',
    );
    for (const [name, id] of this.#tags) assert.equal(refs.get(`refs/tags/${name}`), id, `the tag ${name}`);
    for (const [name, expected] of this.#refs) this.#judge(name, expected, refs.get(name) ?? 'none');
    this.#judgeNotes(place, refs.has('refs/notes/data'));
  }

  #judgeNotes(place: Place, hasNotes: boolean): void {
    const list = hasNotes ? place.lines('notes', '--ref=data', 'list').map((line) => pair(line)) : [];
    const blobs = list.map(([blob]) => blob).join('\n');
    const texts = place
      .gitInput(blobs, 'cat-file', '--batch=%(objectsize)')
      .toString()
      .split('\n')
      .filter((_, i) => i % 3 === 1);
    const notes = new Map(list.map(([, target], i) => [target, texts[i]]));
    for (const [target, expected] of this.#notes) this.#judge(`the note of ${target}`, expected, notes.get(target));
  }

  /** From now on what is there is what was promised. */
  #judge(what: string, expected: Expected, actual: string | undefined): void {
    const isExpected = actual === expected.promised || expected.begun.includes(actual ?? '');
    assert.ok(isExpected, `${what} is ${actual} where ${expected.promised} was promised, then ${expected.begun} begun`);
    expected.promised = actual;
    expected.begun.length = 0;
  }
}

function pair(line: string): [string, string] {
  const [first = '', second = ''] = line.split(' ');
  return [first, second];
}
