import { ARCHIVE_FILE, renderArchiveFile } from '../core/archive-file.ts';
import { renderJson } from '../core/json.ts';
import { parseManifestPath } from '../core/manifest.ts';
import type { Outcome } from '../core/outcome.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import { isLeftOut, sanitise } from '../core/sanitise.ts';
import type { Closing } from './close-window.ts';
import { commitSpace } from './commit-space.ts';
import { parseManifest } from './parse-manifest.ts';
import type { Space } from './space.ts';
import type { Spaces } from './spaces.ts';

/**
 * New rules rewrite files that nobody changed in the cluster. So before anything is listed, the archived manifests themselves go
 * through the new rules, and that is a commit of its own. What a rule no longer strips comes with the next list.
 */
export async function migrateRules(spaces: Spaces, closing: Closing, rules: RuleSet): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const space of spaces.all()) {
    if (space.file === undefined || space.file.rules === rules.version) continue;
    outcomes.push(...(await migrateSpace(space, closing, rules)));
  }
  return outcomes;
}

async function migrateSpace(space: Space, closing: Closing, rules: RuleSet): Promise<readonly Outcome[]> {
  const { file, repository } = space;
  if (file === undefined) return [];
  let rewritten = 0;
  for (const { path } of [...repository.files()]) {
    const before = repository.fileId(path);
    await restage(space, path, rules);
    if (repository.stagedId(path) !== undefined && repository.stagedId(path) !== before) rewritten++;
  }
  const renewed = { ...file, rules: rules.version };
  repository.stage(ARCHIVE_FILE, renderArchiveFile(renewed));
  const subject = `rules ${file.rules} -> ${rules.version}: ${rewritten} ${rewritten === 1 ? 'file' : 'files'} rewritten`;
  const message = `${subject}\n\nArchived-From: cluster ${file.clusterId === '' ? 'unknown' : file.clusterId}\n`;
  const committed = await commitSpace(space, { message, objects: rewritten }, closing.clock);
  space.file = renewed;
  return committed === undefined ? [] : [committed];
}

/** Encrypted files are left to the next list: a change inside would break their MAC. */
async function restage(space: Space, path: string, rules: RuleSet): Promise<void> {
  const place = parseManifestPath(path);
  const bytes = place === undefined ? undefined : await space.repository.readFile(path);
  const object = bytes === undefined ? undefined : parseManifest(bytes);
  if (place === undefined || object === undefined || Object.hasOwn(object, 'sops')) return;
  const result = sanitise(object, place.resource, rules, { includeOwned: true });
  if (isLeftOut(result)) space.repository.stageDeletion(path);
  else space.repository.stage(path, renderJson(result.object));
}
