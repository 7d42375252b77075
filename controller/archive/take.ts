import { difference } from '../core/diff.ts';
import { actorsOf } from '../core/evidence.ts';
import { parseJson, renderJson } from '../core/json.ts';
import { manifestPath, refOf } from '../core/manifest.ts';
import {
  type KubeObject,
  type ObjectRef,
  type Resource,
  type ResourceName,
  repositoryOf,
  stringAt,
} from '../core/object.ts';
import type { Clock, Sealer } from '../core/ports.ts';
import { withoutResealed } from '../core/resealed.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import { isLeftOut, type Sanitised, sanitise } from '../core/sanitise.ts';
import { differsOnlyInHeld } from '../core/sanitise-held.ts';
import type { ScaleTarget } from '../core/sanitise-options.ts';
import type { Scope } from '../core/scope.ts';
import { describe, type FieldWords } from '../core/words.ts';
import { lastVersion } from '../git/last-version.ts';
import { blobId } from '../git/object-id.ts';
import { parseManifest } from './parse-manifest.ts';
import type { PendingChange, Space } from './space.ts';
import type { Spaces } from './spaces.ts';
import type { Storage } from './storage.ts';
import { countLeftOut, type ResourceTally, type Tally } from './tally.ts';

/** Sanitise and stage: what becomes of one change between the watch and the window. Unchanged bytes end here. */

export interface Intake {
  readonly spaces: Pick<Spaces, 'open' | 'get'>;
  readonly scope: Scope;
  readonly rules: RuleSet;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly tally: Tally;
  readonly storage: Storage;
  readonly includeOwned: boolean;
  /** Is this kind one that the archive holds (an owner that re-creates what it owns)? */
  readonly isArchived: (group: string, kind: string) => boolean;
  readonly isScaleTarget: (target: ScaleTarget) => boolean;
}

/** Beyond this many changes in a window, the fields of each are not told: the message has only counts. */
const DETAILED_CHANGES = 100;
/** What one object may add to a message. */
const DETAILED_FIELDS = 40;

interface Place {
  readonly space: Space;
  readonly ref: ObjectRef;
  readonly path: string;
  readonly resource: Resource;
  readonly tally: ResourceTally;
}

/** Where an object was seen. */
export interface Seen {
  /** In a list, not in a watch. */
  readonly isListed?: boolean;
  /** By the list that was made for this repository alone, and is for no other of its name. */
  readonly into?: Space;
}

/** Takes an object that exists. Answers its place as `REPOSITORY/PATH`, or undefined when it is not archived. */
export async function takeApplied(
  intake: Intake,
  resource: Resource,
  object: KubeObject,
  seen: Seen = {},
): Promise<string | undefined> {
  const ref = refOf(resource, object);
  const name = repositoryOf(ref);
  if (!intake.scope.includesRepository(name)) return undefined;
  const tally = intake.tally.of(resource);
  const path = manifestPath(ref);
  // Sanitising takes it away.
  const resourceVersion = stringAt(object.metadata, 'resourceVersion');
  const isPassed = (space: Space) => isPassedOver(space, ref.resource, { ...seen, resourceVersion });
  const result = sanitise(object, ref.resource, intake.rules, intake);
  if (isLeftOut(result)) {
    countLeftOut(tally, result.reason);
    await dropLeftOut(intake, ref, { isPassed, reason: result.reason });
    return undefined;
  }
  tally.objects++;
  const open = () => intake.storage.persist(name, () => intake.spaces.open(name));
  let space = await open();
  while (space.users.isClosed) space = await open();
  using _user = space.users.enter();
  if (await isPassed(space)) return `${name}/${path}`;
  if (ref.resource === 'namespaces') noteNamespace(intake, space, result.evidence.uid);
  await stageManifest(intake, { space, ref, path, resource, tally }, result);
  return `${name}/${path}`;
}

/** Another uid than that of the line is looked into when the window closes, also where no file differs. */
function noteNamespace({ clock }: Intake, space: Space, uid: string | undefined): void {
  space.namespaceUid = uid;
  if (uid !== undefined && space.line.uid !== '' && uid !== space.line.uid) space.touch(clock.monotonic());
}

/** What a late watch or list tells of a namespace that had the name before. */
async function isPassedOver(
  space: Space,
  resource: ResourceName,
  { into, isListed = false, resourceVersion }: Seen & { readonly resourceVersion: string | undefined },
): Promise<boolean> {
  if (into !== undefined) return space !== into;
  return (await space.line.retake?.isOutdated(resource, { resourceVersion, isListed })) ?? false;
}

/** Takes an object that a watch saw go. */
export async function takeDeleted(intake: Intake, resource: Resource, object: KubeObject): Promise<void> {
  const ref = refOf(resource, object);
  const space = intake.spaces.get(repositoryOf(ref));
  if (space === undefined || !intake.scope.includesRepository(space.name)) return;
  using _user = space.users.enter();
  const path = manifestPath(ref);
  if (space.line.retake !== undefined) {
    await space.line.retake.listed(ref.resource);
    // Who is there by now is another one of that name.
    if (space.isOther(path, stringAt(object.metadata, 'uid'))) return;
  }
  // A list may have missed it first: seen going, it is doubted no more.
  if (space.currentId(path) === undefined && space.pending.get(path)?.swept !== true) return;
  intake.tally.of(resource).changed++;
  const version = stringAt(object.metadata, 'resourceVersion');
  const resourceVersion = version === undefined ? {} : { resourceVersion: version };
  space.stageDeletion(
    path,
    { ref, what: 'deleted', fields: [], actors: [], ...resourceVersion },
    intake.clock.monotonic(),
  );
}

/** A file whose object is no longer archived (a rule changed, an owner came) must not stay and look current. */
async function dropLeftOut(
  intake: Intake,
  ref: ObjectRef,
  { isPassed, reason }: { readonly isPassed: (space: Space) => Promise<boolean>; readonly reason: string },
): Promise<void> {
  const space = intake.spaces.get(repositoryOf(ref));
  if (space === undefined) return;
  using _user = space.users.enter();
  const path = manifestPath(ref);
  if ((await isPassed(space)) || space.currentId(path) === undefined) return;
  const change = { ref, what: 'deleted' as const, fields: [], actors: [] };
  space.stageDeletion(path, { ...change, cause: `no longer archived (${reason})` }, intake.clock.monotonic());
}

async function stageManifest(intake: Intake, place: Place, result: Sanitised): Promise<void> {
  const { space, path } = place;
  space.held.delete(path);
  const recreated = space.noteUid(path, result.evidence.uid) || space.pending.get(path)?.what === 'deleted';
  const sealed = result.secrets.length > 0;
  const text = sealed ? await seal(intake, place, result) : renderJson(result.object);
  const id = blobId(text);
  if (id === space.currentId(path)) return;
  const after = sealed ? (parseJson(text) as KubeObject) : result.object;
  const before = await readBefore(space, path);
  if (before !== undefined && isHeld(before, after, result)) {
    place.tally.held++;
    if (space.repository.stagedId(path) !== undefined) space.unstage(path);
    return;
  }
  place.tally.changed++;
  const what = before === undefined ? 'created' : recreated ? 'recreated' : 'changed';
  const told = tellChange(space, before, after, result);
  space.stage(path, text, { ...facts(place, result, sealed), ...told, what }, intake.clock.monotonic());
}

function seal(intake: Intake, place: Place, result: Sanitised): Promise<string> {
  const { space, path } = place;
  // One that comes back, as by a restore, keeps its ciphertext, and so its file, while its values are the same.
  const previous = async () =>
    ((await space.repository.readFile(path)) ?? lastVersion(space.repository, path))?.toString();
  return intake.sealer.seal(result.object, { repository: space.name, path }, result.secrets, previous);
}

async function readBefore(space: Space, path: string): Promise<KubeObject | undefined> {
  const bytes = await space.repository.readFile(path);
  return bytes === undefined ? undefined : parseManifest(bytes);
}

/** The encryption's own bookkeeping follows the values: where those are held, it is. */
function isHeld(before: KubeObject, after: KubeObject, { held, heldOrder }: Sanitised): boolean {
  return (
    held.length + heldOrder.length > 0 && differsOnlyInHeld(before, after, { held: [...held, '/sops'], heldOrder })
  );
}

function facts(place: Place, result: Sanitised, sealed: boolean): Omit<PendingChange, 'what' | 'fields' | 'actors'> {
  const { resourceVersion, requested, why } = result.evidence;
  return {
    ref: place.ref,
    version: place.resource.version,
    sealed,
    terminating: result.terminating,
    requested,
    recorded: result.recorded.filter(isOwnTrailer).map(({ pointer, value }) => `${pointer} ${JSON.stringify(value)}`),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(why === undefined ? {} : { why }),
  };
}

/** What every object has gets a trailer for all together, or none. */
function isOwnTrailer({ pointer }: { readonly pointer: string }): boolean {
  return !pointer.startsWith('/metadata/');
}

/** The fields in words and who wrote them; rendered at once, so that no object's body waits for the window. */
function tellChange(
  space: Space,
  before: KubeObject | undefined,
  after: KubeObject,
  result: Sanitised,
): { fields: readonly FieldWords[]; actors: readonly string[] } {
  const { managedFields } = result.evidence;
  if (before === undefined) return { fields: [], actors: actorsOf(managedFields, after, undefined) };
  if (space.pending.size > DETAILED_CHANGES) return { fields: [], actors: [] };
  const changes = withoutResealed(difference(before, after), before, after);
  const pointers = changes.map((change) => change.pointer);
  return { fields: changes.slice(0, DETAILED_FIELDS).map(describe), actors: actorsOf(managedFields, after, pointers) };
}
