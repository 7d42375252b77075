import { ARCHIVE_FILE, type ArchiveFile, parseArchiveFile, renderArchiveFile } from '../core/archive-file.ts';
import { lineMark } from '../core/line.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Repository } from '../git/repository.ts';
import { withScratch } from '../git/scratch-repository.ts';
import { commitSpace } from './commit-space.ts';
import type { RemoteNames } from './lines-remote.ts';
import type { RemotePort } from './remote-port.ts';
import type { Space } from './space.ts';

/**
 * A disk was lost while the remote could not be reached, and the namespace was made again: then the remote has a line that belongs to
 * another uid, which nothing here tells. It is looked at apart, so that nothing of it comes to ours.
 */

export interface ApartParts {
  /** For names of ours. */
  readonly port: RemotePort;
  readonly dataDirectory: string;
  readonly clusterId: string;
}

/** A `main` of the remote that is not here, of a repository that was never pushed. */
export interface Unknown {
  readonly name: string;
  readonly repository: Repository;
  readonly theirs: ObjectId;
}

/** What the other line says of itself; undefined when it is ours, or somebody else's work. */
export async function readOtherLine(
  { port, dataDirectory, clusterId }: ApartParts,
  { name, repository, theirs }: Unknown,
  signal: AbortSignal,
): Promise<ArchiveFile | undefined> {
  const own = parse((await repository.readFile(ARCHIVE_FILE))?.toString(), repository.directory);
  const uid = own?.namespace?.uid ?? '';
  if (uid === '' || own?.namespace?.line !== undefined) return undefined;
  const place = port.place(name);
  const text = await withScratch(dataDirectory, name, async (scratch) => {
    await port.fetch(scratch, place, [theirs], signal);
    await scratch.fastForward(theirs);
    return (await scratch.readFile(ARCHIVE_FILE))?.toString();
  });
  const other = parse(text, place.url);
  if (other?.clusterId !== clusterId) return undefined;
  const otherUid = other.namespace?.uid ?? '';
  return otherUid === '' || otherUid === uid ? undefined : other;
}

/** What is no archive file of ours is somebody's work, and no line. */
function parse(text: string | undefined, where: string): ArchiveFile | undefined {
  try {
    return text === undefined ? undefined : parseArchiveFile(text, where);
  } catch {
    return undefined;
  }
}

export interface PartParts extends ApartParts {
  readonly names: RemoteNames;
  readonly clock: Clock;
  readonly space: (name: string) => Space | undefined;
  readonly report: (outcome: Outcome) => void;
}

/**
 * Gives our line its mark and a place of its own at the remote, where the one that it has belongs to another line; true when it was
 * so. The mark is committed before anything is pushed, so that the next start knows.
 */
export async function partLines(
  parts: PartParts,
  name: string,
  theirs: ObjectId,
  signal: AbortSignal,
): Promise<boolean> {
  const space = parts.space(name);
  if (space === undefined || space.line.uid === '' || space.line.mark !== undefined) return false;
  const other = await readOtherLine(parts, { name, repository: space.repository, theirs }, signal);
  if (other?.namespace === undefined) return false;
  const { uid } = space.line;
  const oldLine = parts.port.place(name).url;
  space.line.begin(uid, lineMark(uid));
  await commitMark(parts, space);
  parts.names.note(name, space.line.mark);
  parts.report({ type: 'new-line', repository: name, uid, oldUid: other.namespace.uid, oldLine });
  return true;
}

async function commitMark({ clock, clusterId, report }: PartParts, space: Space): Promise<void> {
  const { file, line } = space;
  if (file?.namespace === undefined || line.mark === undefined) return;
  const marked = { ...file, namespace: { ...file.namespace, line: line.mark } };
  space.repository.stage(ARCHIVE_FILE, renderArchiveFile(marked));
  const subject = `line ${line.mark}: the remote has the history of another namespace of this name`;
  const message = `${subject}\n\nArchived-From: cluster ${clusterId === '' ? 'unknown' : clusterId}\n`;
  const committed = await commitSpace(space, { message, objects: 0, paths: new Set([ARCHIVE_FILE]) }, clock);
  space.file = marked;
  if (committed !== undefined) report(committed);
}
