import { isJsonObject } from '../../object.ts';
import { setAt } from '../../pointer.ts';
import { at, type Draft, isSamePlace, leave, placesOf, stringsAt } from './draft.ts';
import { valuesOf } from './finished.ts';

/** Builds, images and DeploymentConfigs of OpenShift. */

const GENERATED = /-dockercfg-[a-z0-9]{5}$/;

export function prepareBuildConfig(draft: Draft): void {
  const strategies = ['sourceStrategy', 'dockerStrategy', 'customStrategy'];
  for (const holder of ['/spec/output/pushSecret', ...strategies.map((one) => `/spec/strategy/${one}/pullSecret`)]) {
    const name = stringsAt(draft, `${holder}/name`);
    if (name === undefined || !GENERATED.test(name) || draft.context.isPlanned('', 'Secret', name)) continue;
    leave(draft, holder);
    draft.notes.push(`${name} is left out: the builder account gets another pull secret`);
  }
  for (const pointer of placesOf(draft.object, '/spec/triggers/*/imageChange/lastTriggeredImageID')) {
    leave(draft, pointer);
  }
  const triggers = placesOf(draft.object, '/spec/triggers/*/type').map((pointer) => at(draft, pointer));
  if (triggers.includes('ConfigChange')) draft.notes.push('its ConfigChange trigger starts a build when it is made');
}

export function prepareImageStream(draft: Draft): void {
  const tags = valuesOf(draft.context.recorded, /^\/status\/tags\/\d+\/tag$/);
  const digests = valuesOf(draft.context.recorded, /^\/status\/tags\/\d+\/items\/0\/image$/);
  const pairs = tags.length === digests.length ? tags.map((tag, index) => `${tag} was ${digests[index]}`) : digests;
  if (pairs.length > 0) draft.notes.push(`images are not in the archive: ${pairs.slice(0, 5).join(', ')}`);
}

export function prepareDeploymentConfig(draft: Draft): void {
  for (const pointer of placesOf(draft.object, '/spec/triggers/*/imageChangeParams/lastTriggeredImage')) {
    leave(draft, pointer);
  }
}

/** Written by old consoles; only the group makes it findable. */
export function prepareAutoscaler(draft: Draft): void {
  const target = at(draft, '/spec/scaleTargetRef');
  if (!isJsonObject(target) || target['kind'] !== 'DeploymentConfig') return;
  if (target['apiVersion'] === 'apps.openshift.io/v1') return;
  setAt(draft.object, '/spec/scaleTargetRef/apiVersion', 'apps.openshift.io/v1');
  draft.notes.push('scales the DeploymentConfig by its group apps.openshift.io/v1');
}

/** Who may use constraints of the whole cluster is nothing to be overwritten in silence. */
export function prepareConstraints(draft: Draft): void {
  if (!isSamePlace(draft.context))
    draft.notes.push('decides what pods of the whole cluster may do: look at users and groups');
}
