import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readClusterId } from './archive/cluster-id.ts';
import { connect } from './cluster/connect.ts';
import { openCluster } from './cluster/open-cluster.ts';
import { openRestoreTarget } from './cluster/open-restore-target.ts';
import type { RestoreConfig } from './config-restore.ts';
import { NAMESPACES } from './core/endpoints.ts';
import { namespaceOf } from './core/line.ts';
import { CLUSTER_REPOSITORY } from './core/object.ts';
import type { RestoreHeader, RestoreMappings, RestoreRecord, RestoreRules } from './core/restore/journal.ts';
import type { RestoreTarget } from './core/restore/ports.ts';
import type { RuleSet } from './core/rules/rule-set.ts';
import { oneLine } from './core/words.ts';
import { KeeperError } from './errors.ts';
import { writeContinuedLine } from './git/continued-line.ts';
import { listRepositories } from './git/data-directory.ts';
import type { DamagedTag } from './git/read-tag.ts';
import { closeJournal, createJournal } from './git/restore-journal.ts';
import { type CarryOutEvent, carryOut } from './restore/carry-out.ts';
import { type PlanParts, planRestore } from './restore/plan.ts';
import { openRestorePoint, type RestorePoint } from './restore/restore-point.ts';
import { Undo } from './restore/undo.ts';
import type { PlannedRestore } from './restore/work.ts';
import { readRules } from './rules-file.ts';
import { openSealedComparer } from './secrets/compare-sealed.ts';
import { type OpenedSecrets, openSecretOpener } from './secrets/open-sealed.ts';
import { systemClock } from './system-clock.ts';

/** Opens what a restore reads and writes: the restore point, the cluster with the rights of who asks, the secrets. */

export interface OpenRestore extends AsyncDisposable {
  readonly point: RestorePoint;
  readonly target: RestoreTarget;
  readonly rules: RuleSet;
  /** Of who asks: of several restores the same. */
  readonly opener: OpenedSecrets;
  /** The uid of kube-system, or ''. */
  readonly clusterId: string;
  /** For the person, once. */
  readonly warnings: readonly string[];
  /** In the target. */
  readonly namespace: string;
  plan(how: {
    readonly signal: AbortSignal;
    readonly onProgress: (done: number, total: number) => void;
  }): Promise<PlannedRestore>;
}

/** Who asks, for one restore or for many. */
export interface Asker extends AsyncDisposable {
  readonly target: RestoreTarget;
  readonly rules: RuleSet;
  readonly opener: OpenedSecrets;
  /** The uid of kube-system, or ''. */
  readonly clusterId: string;
}

export async function openAsker(config: RestoreConfig): Promise<Asker> {
  await using opening = new AsyncDisposableStack();
  const rules = await readRules(config.rulesFile);
  const opener = await openSecretOpener(config);
  const connection = opening.use(await connect(config));
  const { asUser, asGroups } = config;
  // Else a request that is still tried again after a failure keeps the process for minutes.
  const closed = new AbortController();
  opening.defer(() => closed.abort());
  const { signal } = closed;
  const target = openRestoreTarget(connection, asUser === undefined ? { signal } : { signal, asUser, asGroups });
  const clusterId = await readClusterId(openCluster(connection));
  const open = opening.move();
  return { target, rules, opener, clusterId, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** `from` is one bare repository, or a directory of some. */
function directoryOf({ from, dataDirectory, repository }: RestoreConfig): string {
  if (from === undefined) return `${dataDirectory}/${repository}.git`;
  const inside = `${from}/${repository}.git`;
  return existsSync(inside) ? inside : from;
}

function tellDamagedTag({ name, problem }: DamagedTag): string {
  return `the tag ${oneLine(name)} is damaged and cannot be restored to (${problem}); all else can`;
}

/** Nothing is changed by it. Throws KeeperError for whatever of it cannot be used. */
export async function openRestore(config: RestoreConfig, shared?: Asker): Promise<OpenRestore> {
  await using opening = new AsyncDisposableStack();
  const directory = directoryOf(config);
  const point = opening.use(await openRestorePoint(directory, config.to));
  if (namespaceOf(config.repository) !== point.repository) throw otherRepository(config.repository, point);
  const { target, rules, opener, clusterId } = shared ?? opening.use(await openAsker(config));
  const namespace = point.repository === CLUSTER_REPOSITORY ? '' : (config.into ?? point.repository);
  // The key of another archive would say that every value is another.
  const comparer = config.from === undefined ? await openSealedComparer(config.dataDirectory) : undefined;
  const undo =
    config.selection.undo === undefined
      ? undefined
      : new Undo(point, opening.use(await openRestorePoint(directory, config.selection.undo)));
  const parts: PlanParts = { point, target, rules, opener, comparer };
  const { selection, includeOwned, storageClasses, hosts, images, asUser } = config;
  const open = opening.move();
  return {
    ...{ point, target, rules, opener, clusterId, namespace },
    warnings: [...opener.warnings, ...point.damagedTags.map(tellDamagedTag)],
    plan: async (how) => {
      const planned = await planRestore(parts, {
        ...how,
        selection,
        includeOwned,
        to: { clusterId, namespace, asUser },
        mappings: { storageClasses, hosts, images },
        ...(undo === undefined ? {} : { undo }),
      });
      if (shared === undefined) requireUsed(opener);
      return planned;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Nothing of it lives and nothing was ever archived: no archive has to look, and none beside us would know of it. */
export async function isNothingToSave(
  { dataDirectory }: RestoreConfig,
  target: RestoreTarget,
  repository: string,
): Promise<boolean> {
  if (repository === CLUSTER_REPOSITORY || existsSync(`${dataDirectory}/${repository}.git`)) return false;
  return (await target.get(NAMESPACES, { name: repository })) === undefined;
}

/** Values that were brought for nobody are most likely misspelled. To be asked once all that is asked for together is planned: one plan asks by itself. */
export function requireUsed(opener: OpenedSecrets): void {
  const unused = opener.unused();
  if (unused.length > 0) throw unusedValues(unused);
}

export interface RestoreRun {
  readonly id: string;
  /** `pre/restore-...`; undefined when there was nothing to keep. */
  readonly safetyTag: string | undefined;
  readonly resumes: RestoreRecord | undefined;
  readonly signal: AbortSignal;
}

/** Carries a plan out under a journal in the data directory, which is made where there is none. */
export async function* runRestore(
  config: RestoreConfig,
  { point, target, rules, clusterId, namespace }: OpenRestore,
  planned: PlannedRestore,
  { id, safetyTag, resumes, signal }: RestoreRun,
): AsyncGenerator<CarryOutEvent> {
  const { plan } = planned;
  const header: RestoreHeader = {
    version: 1,
    id,
    started: new Date(systemClock.wall()).toISOString(),
    plan: plan.hash,
    repository: config.repository,
    ...(config.from === undefined ? {} : { from: point.directory }),
    commit: plan.commit,
    target: plan.target,
    selection: plan.selection,
    ...(config.asGroups.length === 0 ? {} : { asGroups: config.asGroups }),
    mappings: mappingsOf(config),
    rules: rulesOf(config, rules),
    ...(safetyTag === undefined ? {} : { safetyTag }),
    ...(resumes === undefined ? {} : { resumes: resumes.header.id }),
  };
  await using journal = await createJournal(config.dataDirectory, header);
  if (resumes !== undefined) await closeJournal(config.dataDirectory, resumes.header.id, 'resumed');
  const of = point.file.namespace?.uid ?? '';
  const isSameLine =
    namespace !== '' && namespace === point.repository && clusterId === point.file.clusterId && of !== '';
  const note = (uid: string | undefined) => writeContinuedLine(config.dataDirectory, namespace, { uid, of });
  const line = { making: () => note(undefined), made: (uid: string) => note(uid) };
  const parts = { target, journal, clock: systemClock, line: isSameLine ? line : undefined };
  yield* carryOut(parts, planned, { signal, late: resumes?.late ?? [], volumes: resumes?.volumes });
}

/** Which repository holds a commit that is named by its id alone. Throws USAGE_INVALID for none, and for more than one. */
export async function findCommit(
  {
    dataDirectory,
    from,
    repository,
  }: {
    readonly dataDirectory: string;
    readonly from: string | undefined;
    readonly repository: string | undefined;
  },
  commit: string,
): Promise<{ readonly repository: string; readonly id: string }> {
  const look = async (directory: string) => {
    await using point = await openRestorePoint(directory, commit);
    return { repository: point.repository, id: point.commit };
  };
  if (from !== undefined) return await look(from);
  if (repository !== undefined) return { ...(await look(`${dataDirectory}/${repository}.git`)), repository };
  if (!/^[0-9a-f]{4,40}$/i.test(commit)) throw noCommit(commit, dataDirectory, 'it is no id, give --namespace with it');
  const found: { readonly repository: string; readonly id: string }[] = [];
  for (const name of await listRepositories(dataDirectory)) {
    try {
      found.push({ ...(await look(`${dataDirectory}/${name}.git`)), repository: name });
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'USAGE_INVALID') throw error;
    }
  }
  const [only] = found;
  if (only === undefined) throw noCommit(commit, dataDirectory, 'no repository has such a commit');
  if (found.length === 1) return only;
  const names = found.map((one) => one.repository).join(', ');
  throw noCommit(commit, dataDirectory, `${names} have one, give more digits or --namespace`);
}

function unusedValues(names: readonly string[]): KeeperError {
  return new KeeperError(
    `--secret-values names ${names.join(', ')}, which this restore has no use for: the names are those of the restore point (secrets/db); nothing was changed`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}

function noCommit(commit: string, directory: string, problem: string): KeeperError {
  return new KeeperError(`Cannot find the commit "${commit}" in "${directory}": ${problem}; nothing was changed`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
  });
}

function mappingsOf({ storageClasses, hosts, images }: RestoreConfig): RestoreMappings {
  const renamed = hosts === undefined || hosts === 'clear' ? hosts : [...hosts];
  return { storageClasses: [...storageClasses], images, ...(renamed === undefined ? {} : { hosts: renamed }) };
}

function rulesOf({ rulesFile, includeOwned }: RestoreConfig, { version }: RuleSet): RestoreRules {
  return { version, ...(rulesFile === undefined ? {} : { file: resolve(rulesFile) }), includeOwned };
}

function otherRepository(asked: string, { directory, repository }: RestorePoint): KeeperError {
  return new KeeperError(
    `"${directory}" holds the archive of "${repository}", not of "${asked}"; nothing was changed, name that one (--into restores it into another namespace)`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}
