import type { ResourceName } from '../object.ts';
import { parsePointer } from '../pointer.ts';
import { IMMUTABLE } from './immutable-table.ts';
import type { PatchOperation, Refused } from './ports.ts';

export { replacementPolicy } from './replacement.ts';

/** Which fields can only be had by making the object again, and whether that may be done. */

/** What servers say of a field that stays: of every version, and of rules in definitions ('self == oldSelf'). */
const SAYS_IMMUTABLE =
  /immutable|forbidden: updates to|updates to .+ forbidden|(?:may|can|must) ?not (?:be )?(?:chang|updat|modif|unset)|not allowed to be (?:chang|updat)|self\s*==\s*oldSelf/i;

/**
 * The changed fields that cannot be changed, as the server spells them ('spec.selector'): of those that are known, and of those
 * that its refusal names. Empty when the refusal is about something else, too: a new object would be refused as well.
 */
export function immutableFields(
  resource: ResourceName,
  refused: Refused | undefined,
  operations: readonly PatchOperation[],
): readonly string[] {
  if (refused !== undefined && refused.status !== 422) return [];
  const changes = operations.filter((operation) => operation.op !== 'test');
  const known = [...new Set(changes.flatMap((operation) => knownField(resource, operation)))];
  const causes = refused?.causes ?? [];
  const isKnown = (field: string) => known.some((one) => isWithin(one, field) || isWithin(field, one));
  if (!causes.every(({ field, message }) => saysImmutable(message, isKnown(field)))) return [];
  // 'spec' says less than 'spec.serviceName', and the source of a volume is no field at all.
  const named = causes.map(({ field }) => field).filter((field) => field !== '' && !isKnown(field));
  const told = known.length === 0 ? named : named.filter((field) => field !== 'spec.persistentvolumesource');
  return [...known, ...new Set(told)];
}

/** Of objects with secret values only the kind of a refusal is passed on. */
function saysImmutable(message: string, isKnown: boolean): boolean {
  return SAYS_IMMUTABLE.test(message) || message === 'forbidden' || (message === 'invalid' && isKnown);
}

function knownField(resource: ResourceName, operation: PatchOperation): readonly string[] {
  const path = parsePointer(operation.path);
  const isSealed =
    path.length === 1 && path[0] === 'immutable' && (operation.op === 'remove' || operation.op === 'replace');
  if (isSealed && (resource === 'secrets' || resource === 'configmaps')) return ['immutable'];
  const table = Object.hasOwn(IMMUTABLE, resource) ? IMMUTABLE[resource] : undefined;
  if (table === undefined || (table.but ?? []).some((pointer) => isBelow(path, parsePointer(pointer)))) return [];
  const found = table.fields.find((pointer) => {
    const field = parsePointer(pointer);
    return isBelow(path, field) || isBelow(field, path);
  });
  if (found === undefined) return [];
  // Where a whole spec is fixed, its field says more.
  const depth = found === '/spec' ? 2 : parsePointer(found).length;
  return [spell(isBelow(path, parsePointer(found)) ? path.slice(0, depth) : parsePointer(found))];
}

function isBelow(path: readonly string[], above: readonly string[]): boolean {
  return path.length >= above.length && above.every((segment, at) => segment === '*' || segment === path[at]);
}

function spell(path: readonly string[]): string {
  return path.reduce((text, key) => {
    if (/^\d+$/.test(key)) return `${text}[${key}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** Old servers spell some fields as Go does: 'Value'. */
function isWithin(field: string, outer: string): boolean {
  const [inner, holder] = [field.toLowerCase(), outer.toLowerCase()];
  return inner === holder || inner.startsWith(`${holder}.`) || inner.startsWith(`${holder}[`);
}
