import type { ResourceName } from '../core/object.ts';
import { oneLine } from '../core/words.ts';
import { KeeperError } from '../errors.ts';
import { readHeld } from '../git/held-deletions.ts';
import type { SeenDifference } from './compare-live.ts';
import { isDamage, reasonOf } from './damage.ts';
import type { Comparison } from './verify-live.ts';

export interface Difference {
  readonly path: string;
  /** In the archive: not there, otherwise, or there although the object is gone. */
  readonly what: 'missing' | 'different' | 'extra';
  /** Which fields differ, or why it may be so. */
  readonly reason: string;
}

/** `unread` names what is archived in this repository and could not be compared. */
export type LiveAnswer =
  | { readonly state: 'equal'; readonly unread: readonly ResourceName[] }
  | {
      readonly state: 'different';
      readonly differences: readonly Difference[];
      readonly unread: readonly ResourceName[];
    }
  | { readonly state: 'unchecked'; readonly reason: string }
  /** Nobody asked. */
  | { readonly state: 'left out' };

/** What was compared, told for one repository. `rules` is the version that the comparison was made with. */
export function liveAnswer(
  name: string,
  live: Comparison | KeeperError | undefined,
  by: { readonly dataDirectory: string; readonly rules: string | undefined },
): LiveAnswer {
  if (live === undefined) return { state: 'left out' };
  if (live instanceof KeeperError) return { state: 'unchecked', reason: live.message };
  const unreadable = live.unreadable.get(name);
  if (unreadable !== undefined) {
    return { state: 'unchecked', reason: isDamage(unreadable) ? reasonOf(unreadable) : unreadable.message };
  }
  const unread = unreadIn(name, live);
  const differences = live.differences
    .filter(({ repository }) => repository === name)
    .sort((left, right) => (left.path < right.path ? -1 : 1));
  if (differences.length === 0) return { state: 'equal', unread };
  const why = whyRules(live.rules.get(name), by.rules);
  const held = new Set(readHeld(by.dataDirectory, name)?.paths);
  return { state: 'different', unread, differences: differences.map((seen) => tell(seen, why, held)) };
}

function unreadIn(name: string, { unread, resources }: Comparison): readonly ResourceName[] {
  const concerns = unread.filter(({ namespace }) => namespace === undefined || namespace === name);
  return concerns.map(({ resource }) => resource).filter((resource) => resources.get(name)?.has(resource) === true);
}

/** Other rules make other files of the same objects. */
function whyRules(archived: string | undefined, version: string | undefined): string | undefined {
  if (archived === undefined || version === undefined || archived === version) return undefined;
  return `the tree was made by the rules ${archived}, these are ${version}`;
}

function tell(
  { repository, path, live, archived, change }: SeenDifference,
  why: string | undefined,
  held: ReadonlySet<string>,
): Difference {
  const fields = change.fields.map(({ long }) => long).join(', ');
  const isHeld = live === undefined && held.has(path);
  const cause = isHeld ? `its deletion is held, see "kubekeeper allow-deletions ${repository}"` : change.cause;
  const reason = [cause ?? fields, why].filter((part) => part !== undefined && part !== '').join('; ');
  const what = archived === undefined ? 'missing' : live === undefined ? 'extra' : 'different';
  return { path, what, reason: oneLine(reason) };
}
