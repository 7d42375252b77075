import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CLUSTER_REPOSITORY, parseResourceName } from './core/object.ts';
import { spellingOf } from './core/restore/spellings.ts';
import { KeeperError } from './errors.ts';
import type { ExportParts } from './restore/export.ts';
import { openRestorePoint, type RestorePoint } from './restore/restore-point.ts';
import { type OpenedSecrets, openSecretOpener } from './secrets/open-sealed.ts';

/** Opens what an export reads: repositories and secrets, no cluster. */

export interface ExportSource {
  readonly repository: string;
  /** A commit, a tag or a time. */
  readonly at: string;
  readonly dataDirectory: string;
  /** A bare repository instead of the data directory's. */
  readonly from?: string | undefined;
  readonly identityFile?: string | undefined;
  readonly valuesFile?: string | undefined;
  /** Bring the definitions of custom resources, as far as `_cluster` lies beside. */
  readonly withDefinitions: boolean;
}

export type OpenExport = AsyncDisposable & ExportParts & { readonly opener: OpenedSecrets };

export async function openExport(source: ExportSource): Promise<OpenExport> {
  await using opening = new AsyncDisposableStack();
  const opener = await openSecretOpener(source);
  const directory = source.from ?? join(source.dataDirectory, `${source.repository}.git`);
  if (source.from === undefined && !existsSync(directory)) throw unknown(source);
  const point = opening.use(await openRestorePoint(directory, source.at));
  const definitions = source.withDefinitions ? await openDefinitions(source, point) : undefined;
  if (definitions !== undefined) opening.use(definitions);
  const open = opening.move();
  return { point, opener, definitions, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** As they were when the restore point was made. */
async function openDefinitions(source: ExportSource, point: RestorePoint): Promise<RestorePoint | undefined> {
  const isCustom = ({ resource }: { resource: string }) =>
    parseResourceName(resource).group !== '' && spellingOf(resource) === undefined;
  const directory = join(source.dataDirectory, `${CLUSTER_REPOSITORY}.git`);
  if (source.from !== undefined || point.repository === CLUSTER_REPOSITORY) return undefined;
  if (!point.entries.some(isCustom) || !existsSync(directory)) return undefined;
  try {
    return await openRestorePoint(directory, point.time.toISOString());
  } catch (error) {
    // The cluster-scoped objects were archived later for the first time: their oldest state is the nearest.
    if (error instanceof KeeperError && error.code === 'USAGE_INVALID')
      return await openRestorePoint(directory, 'HEAD');
    throw error;
  }
}

function unknown({ repository, dataDirectory }: ExportSource): KeeperError {
  return new KeeperError(
    `There is no repository "${repository}" in "${dataDirectory}"; check the name and --data-dir`,
    {
      kind: 'invalid-input',
      code: 'USAGE_INVALID',
    },
  );
}
