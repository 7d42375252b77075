import { lastWriter } from '../core/evidence.ts';
import { arrayAt, isJsonObject, type Json, type KubeObject } from '../core/object.ts';
import { parsePointer, renderPointer, valueAt } from '../core/pointer.ts';
import type { PatchOperation } from '../core/restore/ports.ts';
import { isSame } from '../core/restore/same.ts';

/** Was a request carried out whose answer got lost? */

/** Annotations are left out: controllers write them at once. What the server adds does not count. */
export function isMadeOf(live: KubeObject, sent: KubeObject): boolean {
  const { metadata, ...content } = sent;
  const { annotations, ownerReferences, ...rest } = metadata;
  return holds(live, { ...content, metadata: rest });
}

function holds(live: Json | undefined, sent: Json): boolean {
  if (isJsonObject(sent)) {
    if (Object.keys(sent).length === 0) return true;
    return (
      isJsonObject(live) &&
      Object.keys(sent).every((key) => holds(Object.hasOwn(live, key) ? live[key] : undefined, sent[key] as Json))
    );
  }
  if (Array.isArray(sent)) {
    if (!Array.isArray(live)) return sent.length === 0;
    return live.length >= sent.length && sent.every((one, index) => holds(live[index], one));
  }
  return isSame(live, sent) || (live === undefined && (sent === null || sent === ''));
}

/** Places in lists move, so what was removed from one tells nothing; then the last writer does. */
export function isPatched(live: KubeObject, operations: readonly PatchOperation[], manager: string): boolean {
  const tellings = operations.filter(({ op }) => op !== 'test').map((operation) => tells(live, operation));
  if (tellings.includes(false)) return false;
  return tellings.includes(true) || lastWriter(arrayAt(live.metadata, 'managedFields'))?.manager === manager;
}

function tells(live: KubeObject, operation: PatchOperation): boolean | undefined {
  const parent = valueAt(live, renderPointer(parsePointer(operation.path).slice(0, -1)));
  if (operation.op === 'remove') {
    return Array.isArray(parent) ? undefined : valueAt(live, operation.path) === undefined;
  }
  if (Array.isArray(parent)) return parent.some((one) => holds(one, operation.value));
  return holds(valueAt(live, operation.path), operation.value);
}
