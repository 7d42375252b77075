import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { KubeObject } from '../object.ts';
import { labelsOf } from './claims.ts';

/** What our snapshots are called in the cluster, and how they are told from those of others. */

export const RUN_LABEL = 'kubekeeper.dev/run';
const MANAGED = { 'app.kubernetes.io/managed-by': 'kubekeeper' } as const;
const ARCHIVE_LABEL = 'kubekeeper.dev/archive';
const PURPOSE_LABEL = 'kubekeeper.dev/purpose';

/** On whatever an archive makes for itself; two archives of one cluster never touch each other's. */
export function archiveLabels(archiveId: string): Readonly<Record<string, string>> {
  return { ...MANAGED, [ARCHIVE_LABEL]: archiveId };
}

/** What a restore leaves behind until its claims are filled. */
export const RESTORE_LABELS: Readonly<Record<string, string>> = { ...MANAGED, [PURPOSE_LABEL]: 'restore' };

/** As the API server takes it. */
export function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

export function hasLabels(object: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  const own = labelsOf(object);
  return Object.entries(labels).every(([key, value]) => own[key] === value);
}

const LONGEST_NAME = 253;

/** `kubekeeper-CLAIM-RUN`. */
export function snapshotName(claim: string, run: string): string {
  const room = LONGEST_NAME - `kubekeeper--${run}`.length;
  return `kubekeeper-${shortened(claim, room)}-${run}`;
}

/** `kubekeeper-group-N-RUN`. */
export function groupSnapshotName(index: number, run: string): string {
  return `kubekeeper-group-${index}-${run}`;
}

/** The run that a name of ours ends with. */
export function runOfName(name: string): string | undefined {
  return /^kubekeeper-.*-([a-z0-9]{8})$/.exec(name)?.[1];
}

/** Different names stay different, and what is left of them is still a name. */
function shortened(name: string, room: number): string {
  if (name.length <= room) return name;
  const mark = hashOf(name).slice(0, 10);
  return `${name.slice(0, room - mark.length - 1).replace(/[.-]+$/, '')}-${mark}`;
}

/** The content that a handle whose own content is gone is deleted through; always the same one for the same handle. */
export function removalName(driver: string, handle: string): string {
  return `kubekeeper-remove-${hashOf(`${driver}\n${handle}`).slice(0, 20)}`;
}

/** The content through which a handle is looked at whose own objects somebody deleted. */
export function lookName(driver: string, handle: string): string {
  return `kubekeeper-look-${hashOf(`${driver}\n${handle}`).slice(0, 20)}`;
}

function hashOf(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}
