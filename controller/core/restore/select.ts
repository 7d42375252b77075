import { KeeperError } from '../../errors.ts';
import { compileGlob } from '../glob.ts';
import { nearestFirst } from '../nearest.ts';
import { parseResourceName, type ResourceName, resourceName } from '../object.ts';
import { mayBeServed } from '../rule-resources.ts';
import { compileSelector, type Labels } from './label-selector.ts';
import type { Selection } from './plan.ts';
import { KNOWN_SPELLINGS, spellingOf } from './spellings.ts';

/** Which objects a restore is about. */

interface Typed {
  readonly resource: ResourceName;
  readonly kind: string;
}

interface Selectable extends Typed {
  readonly name: string;
  readonly labels: Labels;
}

interface CompiledSelection {
  includes(object: Selectable): boolean;
}

/**
 * `present` are the resources of the restore point and of the target (a kind may be '' where it is not known): a word that fits none
 * of them is a mistake. Without them only what cannot be a resource is refused. Throws KeeperError USAGE_INVALID with the nearest
 * word that is known.
 */
export function compileSelection(selection: Selection, present?: readonly Typed[]): CompiledSelection {
  const objects = selection.objects.map((wanted) => compileObject(wanted, present));
  const kinds = selection.kinds.map((word) => compileWord(word, present));
  const fitsLabels = compileSelector(selection.selector);
  return {
    includes: (object) =>
      (objects.length === 0 || objects.some((fits) => fits(object))) &&
      (kinds.length === 0 || kinds.some((fits) => fits(object))) &&
      fitsLabels(object.labels),
  };
}

function compileObject(wanted: string, present: readonly Typed[] | undefined): (object: Selectable) => boolean {
  const slash = wanted.indexOf('/');
  if (slash <= 0 || slash === wanted.length - 1) throw nameless(wanted);
  const fitsResource = compileWord(wanted.slice(0, slash), present);
  const fitsName = compileGlob(wanted.slice(slash + 1));
  return (object) => fitsResource(object) && fitsName(object.name);
}

/** A word is a resource, or its plural, singular, short name or kind in any group; globs are of resources and plurals. */
function compileWord(word: string, present: readonly Typed[] | undefined): (object: Typed) => boolean {
  if (!/^[A-Za-z0-9*?](?:[A-Za-z0-9.*?-]*[A-Za-z0-9*?])?$/.test(word)) throw unknown(word, present);
  const lower = word.toLowerCase();
  const fitsGlob = compileGlob(lower);
  const fits = (object: Typed): boolean => {
    const { group, plural } = parseResourceName(object.resource);
    const kind = object.kind.toLowerCase();
    if (fitsGlob(object.resource) || fitsGlob(plural) || kind === lower || `${kind}.${group}` === lower) return true;
    const shortNames = spellingOf(object.resource)?.shortNames ?? [];
    return shortNames.includes(lower) || shortNames.some((short) => `${short}.${group}` === lower);
  };
  const isKnown =
    /[*?]/.test(word) || KNOWN_SPELLINGS.some((one) => fits({ resource: resourceName(one), kind: one.kind }));
  if (isKnown || present?.some(fits) === true) return fits;
  // Custom resources may have any name, so without a list of what is there only a misspelt group is seen.
  if (present !== undefined || (lower.includes('.') && !mayBeServed(lower) && !isKindOfGroup(lower))) {
    throw unknown(word, present);
  }
  return fits;
}

/** 'widget.example.com': a singular in a group of somebody's. */
function isKindOfGroup(word: string): boolean {
  return mayBeServed(`${word.slice(0, word.indexOf('.'))}s${word.slice(word.indexOf('.'))}`);
}

function unknown(word: string, present: readonly Typed[] | undefined): KeeperError {
  const words = [
    ...(present ?? []),
    ...KNOWN_SPELLINGS.map((one) => ({ resource: resourceName(one), kind: one.kind })),
  ];
  const spellings = words
    .flatMap(({ resource, kind }) => [resource, parseResourceName(resource).plural, kind])
    .filter((one) => one !== '');
  const wanted = word.toLowerCase();
  const [nearest = 'deployments.apps'] = nearestFirst([...new Set(spellings)], /^[A-Z]/.test(word) ? word : wanted);
  return new KeeperError(`No resource or kind is called ${JSON.stringify(word)}; did you mean "${nearest}"?`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
    details: { word, nearest },
  });
}

function nameless(wanted: string): KeeperError {
  return new KeeperError(
    `${JSON.stringify(wanted)} names no object; write RESOURCE/NAME, for example "deployments.apps/web" or "configmaps/*"`,
    { kind: 'invalid-input', code: 'USAGE_INVALID', details: { object: wanted } },
  );
}
