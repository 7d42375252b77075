import type { Change } from '../core/change.ts';
import { isJsonObject, type Json, type KubeObject } from '../core/object.ts';
import { unparsable } from './errors.ts';
import { askedOf, type Session } from './list-watch-state.ts';
import { isKubeObject } from './objects.ts';

/** Objects in lists of built-in resources lack what every single one has. Throws KeeperError for what is no object. */
export function completeObject(session: Session, object: Json | undefined): KubeObject {
  const { group, version, kind } = session.resource;
  if (isJsonObject(object)) {
    object['apiVersion'] ??= group === '' ? version : `${group}/${version}`;
    object['kind'] ??= kind;
  }
  if (!isKubeObject(object)) throw unparsable(askedOf(session), new Error('not an object of Kubernetes'));
  return object;
}

/** The list was complete: what was told as skipped is so no longer. */
export function endList(session: Session, resourceVersion: string): Change {
  session.failures = 0;
  session.told = undefined;
  return { type: 'synced', resource: session.resource, namespace: session.namespace, resourceVersion };
}
