import type { FieldChange } from './diff.ts';
import { type Json, objectAt, stringAt } from './object.ts';

/**
 * An encrypted file gets new ciphertexts for old values when its data key is gone from memory. The keyed fingerprints beside them say
 * which values are still the same; those, and the bookkeeping of the encryption itself, are no change to tell of.
 */
export function withoutResealed(changes: readonly FieldChange[], before: Json, after: Json): readonly FieldChange[] {
  const [was, is] = [fingerprintsOf(before), fingerprintsOf(after)];
  return changes.filter(({ segments, pointer }) => {
    if (segments[0] === 'sops') return false;
    const mark = stringAt(is, pointer);
    return mark === undefined || mark !== stringAt(was, pointer);
  });
}

function fingerprintsOf(file: Json): Json | undefined {
  return objectAt(objectAt(objectAt(file, 'sops'), 'kubekeeper'), 'fingerprints');
}
