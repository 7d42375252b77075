import { isJsonObject } from '../../object.ts';
import { setAt } from '../../pointer.ts';
import { at, type Draft, drop, dropKey, isSamePlace, leave, placesOf, podSpecPointer } from './draft.ts';

/** Pods and what makes them. */

/** Made up from the uid of a Job. */
const JOB_LABELS = [
  'controller-uid',
  'batch.kubernetes.io/controller-uid',
  'job-name',
  'batch.kubernetes.io/job-name',
  'batch.kubernetes.io/job-completion-index',
];
/** OpenShift gives each namespace a range of ids from here on, and a pair of SELinux categories. */
const FIRST_RANGE = 1_000_000_000;
const GIVEN_LEVEL = /^s0:c\d+,c\d+$/;

export function preparePod(draft: Draft): void {
  for (const field of ['nodeName', 'priority', 'serviceAccount', 'ephemeralContainers', 'overhead']) {
    leave(draft, `/spec/${field}`);
  }
  if (!isSamePlace(draft.context)) leaveGivenIds(draft);
  noteNode(draft, '/spec');
}

export function prepareWorkload(draft: Draft): void {
  const spec = podSpecPointer(draft.context.resource);
  if (spec !== undefined && draft.context.resource !== 'pods') noteNode(draft, spec);
}

export function prepareJob(draft: Draft): void {
  if (draft.finished === undefined) draft.notes.push('runs again from its beginning');
  if (at(draft, '/spec/manualSelector') === true) return;
  leave(draft, '/spec/selector');
  for (const label of JOB_LABELS) {
    dropKey(draft, 'labels', label);
    drop(draft, `/spec/template/metadata/labels/${label.replace('/', '~1')}`);
  }
}

function noteNode(draft: Draft, spec: string): void {
  const node = at(draft, `${spec}/nodeSelector/kubernetes.io~1hostname`);
  if (typeof node === 'string' && !isSamePlace(draft.context)) draft.notes.push(`runs on node ${node} only`);
}

/** Ids of the old namespace's range are refused in another one; admission gives out new ones. */
function leaveGivenIds(draft: Draft): void {
  let isChanged = false;
  const level = at(draft, '/spec/securityContext/seLinuxOptions/level');
  if (typeof level === 'string' && GIVEN_LEVEL.test(level)) {
    isChanged = leave(draft, '/spec/securityContext/seLinuxOptions') || isChanged;
  }
  const patterns = ['/spec/securityContext/fsGroup', '/spec/*/*/securityContext/runAsUser'];
  for (const pointer of patterns.flatMap((pattern) => placesOf(draft.object, pattern))) {
    const id = at(draft, pointer);
    if (typeof id === 'number' && id >= FIRST_RANGE) isChanged = leave(draft, pointer) || isChanged;
  }
  if (isChanged) draft.notes.push("user, group and SELinux level are given out anew from the namespace's range");
}

/** ServiceAccounts: tokens and pull secrets of the old account are nobody's. */
export function prepareAccount(draft: Draft): void {
  const name = draft.object.metadata.name;
  const isGenerated = (secret: string) =>
    secret.startsWith(`${name}-token-`) || secret.startsWith(`${name}-dockercfg-`)
      ? /-[a-z0-9]{5}$/.test(secret)
      : false;
  for (const list of ['secrets', 'imagePullSecrets']) {
    const found = at(draft, `/${list}`);
    if (!Array.isArray(found)) continue;
    const kept = found.filter(
      (one) => !(isJsonObject(one) && typeof one['name'] === 'string' && isGenerated(one['name'])),
    );
    if (kept.length === found.length) continue;
    if (kept.length === 0) leave(draft, `/${list}`);
    else setAt(draft.object, `/${list}`, kept);
  }
}
