import { randomBytes } from 'node:crypto';
import { AUTHOR } from './archive/commit-space.ts';
import type { OpenVolumeData } from './archive/volumes.ts';
import type { UpgradingConnection } from './cluster/connect.ts';
import { openPodExec } from './cluster/exec.ts';
import { openRestoreTarget } from './cluster/open-restore-target.ts';
import type { DataPolicy } from './core/data/policy.ts';
import { PODS } from './core/endpoints.ts';
import type { Clock } from './core/ports.ts';
import { openQuiescer } from './data/quiesce.ts';
import { openVolumeData } from './data/volume-data.ts';
import { archiveIdOf } from './git/archive-id.ts';
import { openHookJournal } from './git/hook-journal.ts';

/** The edges of the volume data, for an archive that saves volumes. The data directory is locked by now. */

export async function openVolumes(
  connection: UpgradingConnection,
  dataDirectory: string,
  { policy, clock }: { readonly policy: DataPolicy; readonly clock: Clock },
): Promise<OpenVolumeData> {
  const target = openRestoreTarget(connection);
  const archiveId = await archiveIdOf(dataDirectory);
  const quiescer = openQuiescer({
    exec: openPodExec(connection),
    journal: openHookJournal(dataDirectory),
    hooks: policy.hooks,
    readPod: (namespace, name, signal) => target.get(PODS, { namespace, name }, signal),
  });
  const parts = { target, policy, archiveId, clock, quiescer, author: AUTHOR, newRunId };
  return (access) => openVolumeData(parts, access);
}

/** Eight of 32 characters each: letters of labels and names. */
function newRunId(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
  return [...randomBytes(8)].map((byte) => letters[byte % letters.length]).join('');
}
