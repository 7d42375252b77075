import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHIVE_FILE, parseArchiveFile } from '../core/archive-file.ts';
import { KeeperError } from '../errors.ts';
import { archiveFileAt } from './archive-file-at.ts';
import { laxSettings } from './check-config.ts';
import { checkRefs } from './check-refs.ts';
import { FindingList, type Findings } from './findings.ts';
import { checkLayout } from './layout.ts';
import type { ObjectId } from './object-id.ts';
import { markOf } from './pack-mark.ts';
import { MAIN } from './refs.ts';
import { SoundObjects } from './sound-objects.ts';
import { ReachWalk } from './verify-reach.ts';
import { commitOf } from './whole-history.ts';

export type { Findings } from './findings.ts';

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  /** How many objects were looked at so far; every thousand. */
  readonly onProgress?: (objects: number) => void;
}

/** Files that change what Git makes of the objects, and that neither our writer nor our reader heeds. */
const ALIEN = ['shallow', 'info/grafts', 'objects/info/alternates'];

/**
 * Looks at a whole repository as `git fsck --full --strict` does: every byte of every pack, every object, everything that any ref
 * leads to, and what our own format demands. Only reads, also beside a running writer. What is wrong is told, not thrown;
 * throws KeeperError only where the file system itself refuses.
 */
export async function verifyRepository(directory: string, options: VerifyOptions = {}): Promise<Findings> {
  const findings = new FindingList();
  lookAtLayout(directory, findings);
  // Refs first: what they name lies in a pack before they name it.
  const { refs, broken } = checkRefs(directory);
  for (const [name, problem] of broken) findings.damage(name, problem);
  const objects = new SoundObjects(directory, findings, options);
  try {
    await objects.scan();
    const walk = new ReachWalk(objects, findings);
    await walk.follow(refs, options.signal);
    lookAtArchiveFile(objects, refs.get(MAIN), findings);
    if (!refs.has(MAIN) && !broken.has(MAIN) && (refs.size > 0 || hasHistory(objects))) {
      findings.damage(MAIN, 'is missing though there are commits');
    }
    return findings.finish({ objects: objects.objects, commits: walk.commits });
  } finally {
    objects.close();
  }
}

function lookAtLayout(directory: string, findings: FindingList): void {
  try {
    checkLayout(directory);
    for (const setting of laxSettings(directory)) findings.warning('config', `does not say ${setting}`);
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error;
    const { file, problem } = error.details;
    if (error.code === 'REPOSITORY_DAMAGED') findings.damage(String(file), String(problem));
    else findings.warning('the repository', `is none that kubekeeper can use: ${problem}`);
  }
  for (const name of ALIEN) {
    if (existsSync(join(directory, name)))
      findings.warning(name, 'is there: Git shows another history than the objects hold');
  }
}

/** A first commit that nothing names is what a power cut leaves of it, and so is what was received and no ref leads to yet. */
function hasHistory(objects: SoundObjects): boolean {
  const { known, packs } = objects;
  const isReceived = packs.map(({ path }) => markOf(path) === 'received');
  for (let row = 0; row < known.count; row++) {
    if (known.type(row) !== 'commit' || isReceived[known.pack(row)] === true) continue;
    if ((commitOf(objects.read(row))?.parents.length ?? 0) > 0) return true;
  }
  return false;
}

/** What HEAD's tree says of itself. */
function lookAtArchiveFile(objects: SoundObjects, head: ObjectId | undefined, findings: FindingList): void {
  const where = `${ARCHIVE_FILE} of main`;
  const text = head === undefined ? undefined : archiveFileAt(objects, head);
  if (head === undefined || text === undefined) return;
  try {
    if (text === '') findings.warning(where, 'is not there: kubekeeper did not make this repository');
    else parseArchiveFile(text, objects.directory);
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error;
    if (error.code === 'REPOSITORY_TOO_NEW') findings.warning(where, 'is of a newer format than this kubekeeper knows');
    else findings.damage(where, 'is not one that kubekeeper wrote');
  }
}
