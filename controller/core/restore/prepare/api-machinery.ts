import { isJsonObject } from '../../object.ts';
import { setAt, valueAt } from '../../pointer.ts';
import { at, type Draft, isOtherCluster, placesOf, rewrite } from './draft.ts';

/** What extends the API: webhooks, definitions and API services. */

export function prepareWebhooks(draft: Draft): void {
  const changed = rewrite(draft, '/webhooks/*/sideEffects', (value) =>
    value === 'Unknown' || value === 'Some' ? 'None' : value,
  );
  if (changed > 0) draft.notes.push('sideEffects None instead of what the API no longer takes');
  noteBundle(draft, '/webhooks/*/clientConfig/caBundle');
}

/** A definition that was made as v1beta1 may say what v1 no longer takes. */
export function prepareDefinition(draft: Draft): void {
  if (at(draft, '/spec/preserveUnknownFields') === true) {
    setAt(draft.object, '/spec/preserveUnknownFields', false);
    for (const pointer of placesOf(draft.object, '/spec/versions/*/schema/openAPIV3Schema')) {
      if (!isJsonObject(valueAt(draft.object, pointer))) continue;
      setAt(draft.object, `${pointer}/x-kubernetes-preserve-unknown-fields`, true);
    }
    draft.notes.push('unknown fields are preserved by the schema, as v1 wants it');
  }
  noteBundle(draft, '/spec/conversion/webhook/clientConfig/caBundle');
}

export function prepareApiService(draft: Draft): void {
  noteBundle(draft, '/spec/caBundle');
}

/** Calls fail, and with failurePolicy Fail so does what they are asked about, when the certificate is another one. */
function noteBundle(draft: Draft, pattern: string): void {
  if (!isOtherCluster(draft.context) || placesOf(draft.object, pattern).length === 0) return;
  draft.notes.push('caBundle is that of the cluster that it was archived in');
}
