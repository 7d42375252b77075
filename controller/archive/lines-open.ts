import type { Outcome } from '../core/outcome.ts';
import { Lines, type LinesHooks, type LinesParts } from './lines.ts';
import { LineChoice } from './lines-choice.ts';
import type { EndedLines } from './lines-ended.ts';
import { partLines, readOtherLine, type Unknown } from './lines-part.ts';
import { RemoteNames } from './lines-remote.ts';
import type { ArchiveOptions, ArchiveParts } from './parts.ts';
import type { PublishParts } from './publish-parts.ts';
import { openAdoption, type Publishing, type RemoteAccess } from './publishing.ts';
import type { Spaces } from './spaces.ts';

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

type Access = LineAccess & Pick<ArchiveParts, 'cluster' | 'clock'>;

/** What publishing asks when the remote has what nobody here knows. */
export function partBy(
  { remote, names, clock }: Access,
  { dataDirectory, clusterId }: Pick<ArchiveOptions, 'dataDirectory' | 'clusterId'>,
  { spaces, report }: { readonly spaces: Pick<Spaces, 'get'>; readonly report: (outcome: Outcome) => void },
): NonNullable<PublishParts['part']> {
  const space = (repository: string) => spaces.get(repository);
  return async (name, theirs, signal) => {
    if (remote === undefined) return false;
    const parts = { port: remote.port, names, clock, dataDirectory, clusterId, space, report };
    return await partLines(parts, name, theirs, signal);
  };
}

/** The lines of one run, beside its publishing. */
export function openLines(
  { cluster, clock, choice }: Access,
  { dataDirectory, guard, scope, once }: ArchiveOptions,
  run: Pick<LinesParts, 'spaces' | 'storage' | 'closing' | 'intake' | 'resources' | 'within' | 'signal'> &
    Pick<LinesHooks, 'report' | 'touched' | 'fail'> & {
      readonly publishing: Publishing | undefined;
      readonly ended: EndedLines;
    },
): Lines {
  const { publishing, ended } = run;
  const parts = { ...run, cluster, clock, dataDirectory, guard, once, labelSelector: scope.selector };
  return new Lines(parts, {
    ...run,
    release: async (repository) => publishing?.release(repository),
    begin: (repository, uid, mark) => choice.turn(repository, uid, mark),
    renewed: (repository) => publishing?.admit(repository),
    ended: async (endedLine) => {
      if (publishing === undefined) return;
      await ended.open(endedLine);
      publishing.finish(endedLine);
    },
  });
}
