import { ARCHIVE_FILE, renderArchiveFile } from '../core/archive-file.ts';
import { renderYaml } from '../core/render-yaml.ts';
import type { Selection } from '../core/restore/plan.ts';
import { WAVES, type WaveName } from '../core/restore/waves.ts';
import { oneLine } from '../core/words.ts';
import {
  type Exported,
  type ExportOptions,
  type ExportParts,
  exportObjects,
  selectEntries,
} from '../restore/export.ts';
import type { RestorePoint } from '../restore/restore-point.ts';
import type { Output } from './export-output.ts';
import { createZip } from './zip.ts';

/** The three forms of an export. */

export interface Summary {
  readonly objects: number;
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
  /** Paths of what only `kubectl apply --server-side` takes. */
  readonly large: readonly string[];
  /** How to apply it; '' for what is not to be applied as it is. */
  readonly howTo: string;
}

/** The files as they lie in Git, and a README. */
export async function writeZip(point: RestorePoint, selection: Selection, output: Output): Promise<Summary> {
  const zip = createZip(point.time, 0o644);
  const folder = point.repository;
  const entries = await selectEntries(point, selection);
  const readme = [
    `${titleOf(point)}: the manifests as they lie in Git.`,
    'Secret values are sealed as the archive seals them; files that SOPS encrypted open with: sops -d FILE',
    'Put back what you need with: kubectl apply -f FILE',
    'kubekeeper export --format yaml writes one file in the order of a restore.',
  ];
  await output.write('', zip.add(`${folder}/README.txt`, `${readme.join('\n')}\n`));
  await output.write('', zip.add(`${folder}/${ARCHIVE_FILE}`, renderArchiveFile(point.file)));
  for (const entry of entries) await output.write('', zip.add(`${folder}/${entry.path}`, await point.text(entry)));
  await output.write('', zip.end());
  return { objects: entries.length, leftOut: [], large: [], howTo: '' };
}

/** One file of many documents. */
export async function writeYaml(parts: ExportParts, options: ExportOptions, output: Output): Promise<Summary> {
  const howTo = 'kubectl apply -f FILE';
  await output.write('', headOf(parts.point, howTo, options));
  return await writeEach(parts, options, howTo, (one) => output.write('', renderDocument(one)));
}

/** A file for each wave, named so that kubectl takes them in order. */
export async function writeFiles(parts: ExportParts, options: ExportOptions, output: Output): Promise<Summary> {
  const seen = new Set<WaveName>();
  const summary = await writeEach(parts, options, '', async (one) => {
    seen.add(one.wave);
    await output.write(fileOf(one.wave), renderDocument(one));
  });
  const howTo = seen.has('definitions')
    ? `kubectl apply -f ${fileOf('definitions')} && kubectl wait --for=condition=Established -f ${fileOf('definitions')} && kubectl apply -f .`
    : 'kubectl apply -f .';
  await output.write('README.txt', `${headOf(parts.point, howTo, options).replaceAll(/^# /gm, '')}`);
  return { ...summary, howTo };
}

/** 00-definitions.yaml, 05-namespaces.yaml, ... */
function fileOf(wave: WaveName): string {
  return `${String(WAVES.indexOf(wave) * 5).padStart(2, '0')}-${wave}.yaml`;
}

/** Without --server-side, kubectl writes the whole object into an annotation, and all of those may have 256 KiB. */
const LARGEST_APPLIED = 250_000;

async function writeEach(
  parts: ExportParts,
  options: ExportOptions,
  howTo: string,
  write: (one: Exported) => Promise<void>,
): Promise<Summary> {
  const leftOut: { path: string; why: string }[] = [];
  const large: string[] = [];
  let objects = 0;
  for await (const one of exportObjects(parts, options)) {
    if (one.is === 'object') {
      objects += 1;
      if (JSON.stringify(one.object).length > LARGEST_APPLIED) large.push(one.path);
    } else leftOut.push({ path: one.path, why: one.why });
    await write(one);
  }
  return { objects, leftOut, large, howTo };
}

function headOf(point: RestorePoint, howTo: string, { elsewhere }: ExportOptions): string {
  const scope = elsewhere
    ? 'For any cluster: what the archived one gave out (addresses, node ports, volumes) is left out'
    : 'For the cluster that it came from, with the addresses and node ports that it had; for another one use --elsewhere';
  const lines = [`${titleOf(point)}, in the order of a restore`, howTo, scope];
  return `${lines.map((line) => `# ${line}\n`).join('')}`;
}

function titleOf({ repository, commit, tags, time }: RestorePoint): string {
  const named = tags.length === 0 ? '' : ` (${tags.map(oneLine).join(', ')})`;
  return `${repository} at ${commit.slice(0, 10)}${named} of ${time.toISOString().slice(0, 19)}Z`;
}

function renderDocument(one: Exported): string {
  const path = oneLine(one.path);
  if (one.is === 'left out') return `# left out: ${path}: ${oneLine(one.why)}\n`;
  const notes = one.notes.map((note) => `# ${path}: ${oneLine(note)}\n`).join('');
  return `---\n${notes}${renderYaml(one.object)}`;
}
