import assert from 'node:assert/strict';
import { isJsonObject, type Json, type JsonObject, type KubeObject } from '../../../controller/core/object.ts';
import { childAt, parsePointer, valueAt } from '../../../controller/core/pointer.ts';
import type { PatchOperation } from '../../../controller/core/restore/ports.ts';
import { isSame } from '../../../controller/core/restore/same.ts';
import { copy } from '../../../controller/core/sanitise-held.ts';

/** JSON Patch as RFC 6902 has it, strictly: a remove or replace of what is not there fails, and so does a test. */
export function applyPatch(object: KubeObject, operations: readonly PatchOperation[]): KubeObject {
  const document = copy(object);
  for (const operation of operations) apply(document, operation);
  return document;
}

function apply(document: Json, operation: PatchOperation): void {
  const path = parsePointer(operation.path);
  if (operation.op === 'test') {
    assert.ok(isSame(valueAt(document, operation.path), operation.value), `test failed at ${operation.path}`);
    return;
  }
  const key = path.pop();
  assert.ok(key !== undefined, 'the whole document is never replaced');
  const holder = path.reduce<Json | undefined>(childAt, document);
  const value = 'value' in operation ? copy(operation.value) : undefined;
  if (operation.op !== 'add') assert.notEqual(childAt(holder, key), undefined, `nothing at ${operation.path}`);
  if (Array.isArray(holder)) {
    assert.match(key, /^(?:0|[1-9]\d*)$/);
    assert.ok(Number(key) <= holder.length, `no place at ${operation.path}`);
    if (value === undefined) holder.splice(Number(key), 1);
    else holder.splice(Number(key), operation.op === 'add' ? 0 : 1, value);
    return;
  }
  assert.ok(isJsonObject(holder), `nothing holds ${operation.path}`);
  if (value === undefined) delete holder[key];
  else define(holder, key, value);
}

function define(holder: JsonObject, key: string, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}
