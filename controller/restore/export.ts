import { manifestPath } from '../core/manifest.ts';
import type { KubeObject, ResourceName } from '../core/object.ts';
import type { Selection } from '../core/restore/plan.ts';
import type { SecretOpener } from '../core/restore/ports.ts';
import { type PrepareContext, prepare } from '../core/restore/prepare.ts';
import { compileSelection } from '../core/restore/select.ts';
import { resourceOfKind, spellingOf } from '../core/restore/spellings.ts';
import { WAVES, type WaveName, waveOf } from '../core/restore/waves.ts';
import { KeeperError } from '../errors.ts';
import type { Facts } from './facts.ts';
import type { ManifestEntry } from './hostile.ts';
import type { RestorePoint } from './restore-point.ts';

/** A restore point as files for people: in the order of a restore, each object as kubectl can send it. One object is in memory at a time. */

export type Exported =
  | {
      readonly is: 'object';
      readonly wave: WaveName;
      readonly path: string;
      readonly object: KubeObject;
      /** What was left out of the manifest, and what to know. */
      readonly notes: readonly string[];
    }
  | { readonly is: 'left out'; readonly wave: WaveName; readonly path: string; readonly why: string };

export interface ExportParts {
  readonly point: RestorePoint;
  readonly opener: SecretOpener;
  /** `_cluster` at the same time: what it knows of the definitions of custom resources is exported too. */
  readonly definitions?: RestorePoint | undefined;
}

export interface ExportOptions {
  readonly selection: Selection;
  /** For another cluster: what this one gave out (addresses, node ports, volumes) is left out. */
  readonly elsewhere: boolean;
}

/** Throws what reading a restore point throws, and USAGE_INVALID for a selection that fits nothing. */
export async function* exportObjects(parts: ExportParts, options: ExportOptions): AsyncGenerator<Exported> {
  const { point, definitions } = parts;
  const selected = await selectEntries(point, options.selection);
  const facts = await point.facts(selected.filter(({ resource }) => TOLD.has(resource)).map(({ path }) => path));
  if (definitions !== undefined)
    yield* exportEach(parts, options, definitions, definitionsOf(definitions, selected), new Map());
  yield* exportEach(parts, options, point, selected, facts);
}

/** The manifests that are meant, in the order of a restore. */
export async function selectEntries(point: RestorePoint, selection: Selection): Promise<readonly ManifestEntry[]> {
  const kinds = new Map<ResourceName, string>();
  for (const entry of point.entries) {
    if (kinds.has(entry.resource)) continue;
    kinds.set(entry.resource, spellingOf(entry.resource)?.kind ?? (await point.read(entry)).kind);
  }
  const present = [...kinds].map(([resource, kind]) => ({ resource, kind }));
  const { includes } = compileSelection(selection, present);
  const selected: ManifestEntry[] = [];
  for (const entry of point.entries) {
    const kind = kinds.get(entry.resource) ?? '';
    const name = entry.name ?? (await point.read(entry)).metadata.name;
    if (includes({ resource: entry.resource, kind, name, labels: {} })) selected.push(entry);
  }
  if (selected.length === 0) throw nothingFits(point);
  const rank = (entry: ManifestEntry) => WAVES.indexOf(waveOf(entry.resource, false));
  return selected.sort((left, right) => rank(left) - rank(right));
}

/** The kinds of which a commit tells more than the file. */
const TOLD: ReadonlySet<ResourceName> = new Set(['services', 'pods', 'jobs.batch']);

async function* exportEach(
  { opener }: ExportParts,
  { elsewhere }: ExportOptions,
  point: RestorePoint,
  entries: readonly ManifestEntry[],
  facts: ReadonlyMap<string, Facts>,
): AsyncGenerator<Exported> {
  const from = { clusterId: point.file.clusterId, namespace: point.file.namespace?.name ?? '' };
  const paths = new Set(entries.map(({ path }) => path));
  for (const entry of entries) {
    const base = { wave: waveOf(entry.resource, false), path: entry.path };
    const { object, closed } = await opener.open(await point.read(entry), {
      repository: point.repository,
      path: entry.path,
    });
    const [first] = closed;
    if (first !== undefined) {
      const pointers = closed.map(({ pointer }) => pointer).join(', ');
      yield { ...base, is: 'left out', why: `${first.why} (${pointers})` };
      continue;
    }
    const context: PrepareContext = {
      resource: entry.resource,
      from,
      // Where the cluster has no known id, the same place is taken for the same.
      to: { clusterId: elsewhere ? '' : from.clusterId, namespace: from.namespace },
      requested: facts.get(entry.path)?.requested ?? new Set(),
      recorded: facts.get(entry.path)?.recorded ?? [],
      isPlanned: (group, kind, name) => paths.has(manifestPath({ resource: resourceOfKind(group, kind), name })),
      mappings: { storageClasses: new Map(), hosts: undefined, images: [] },
    };
    const prepared = prepare(object, context);
    if ('skip' in prepared) yield { ...base, is: 'left out', why: prepared.skip };
    else if (prepared.finished !== undefined) yield { ...base, is: 'left out', why: prepared.finished };
    else yield { ...base, is: 'object', object: prepared.object, notes: notesOf(prepared) };
  }
}

/** A file cannot wait for an owner's uid, nor try twice. */
function notesOf(prepared: Extract<ReturnType<typeof prepare>, { object: KubeObject }>): readonly string[] {
  const owners = prepared.owners.map(
    ({ kind, name }) => `its owner ${kind}/${name} is not linked: a file cannot know its uid`,
  );
  const finalizers = prepared.finalizers.map((finalizer) => `finalizer ${finalizer} is left out`);
  const kept = prepared.notes.filter((note) => !note.startsWith('finalizer '));
  return [...kept, ...owners, ...finalizers];
}

/** A definition is named as the resource that it defines. */
function definitionsOf(cluster: RestorePoint, selected: readonly ManifestEntry[]): readonly ManifestEntry[] {
  const resource = 'customresourcedefinitions.apiextensions.k8s.io';
  const wanted = new Set(selected.map((entry) => manifestPath({ resource, name: entry.resource })));
  return cluster.entries.filter(({ path }) => wanted.has(path));
}

function nothingFits({ repository, commit }: RestorePoint): KeeperError {
  return new KeeperError(
    `Nothing in ${repository} at ${commit.slice(0, 10)} is what --object asks for; nothing was written, kubekeeper changes ${repository} shows what there was`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}
