import type { Outcome } from '../core/outcome.ts';
import { LineChoice } from './lines-choice.ts';
import { readOtherLine, type Unknown } from './lines-part.ts';
import { RemoteNames } from './lines-remote.ts';
import type { ArchiveOptions, ArchiveParts } from './pipeline.ts';
import { openAdoption, type RemoteAccess } from './publishing.ts';

/** What one run knows of lines: which one each repository holds, and where that is at the remote. */
export interface LineAccess {
  readonly names: RemoteNames;
  readonly choice: LineChoice;
  /** For names of ours; undefined without a remote. */
  readonly remote: RemoteAccess | undefined;
}

export async function openLineAccess(
  parts: Pick<ArchiveParts, 'cluster' | 'clock' | 'remote'>,
  options: Pick<ArchiveOptions, 'clusterId' | 'dataDirectory' | 'once' | 'guard' | 'signal'>,
  report: (outcome: Outcome) => void,
): Promise<LineAccess> {
  const names = new RemoteNames();
  const remote = parts.remote && { ...parts.remote, port: names.over(parts.remote.port) };
  const isOther = async (unknown: Unknown, signal: AbortSignal) =>
    remote !== undefined && (await readOtherLine({ ...options, port: remote.port }, unknown, signal)) !== undefined;
  const adoption = openAdoption({ ...parts, remote, isOther }, options, report);
  const choice = await LineChoice.open(options.dataDirectory, { cluster: parts.cluster, names, adoption });
  return { names, choice, remote };
}
