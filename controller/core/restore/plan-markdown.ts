import { oneLine } from '../words.ts';
import type { Plan } from './plan.ts';
import { countsLine, type Row, rowsOf, volumeRowsOf } from './plan-rows.ts';

/** The plan as the body of a pull request. */

/** Forges take 65,536 characters. */
const LONGEST = 60_000;
const MOST_VOLUMES = 50;
const HASH_LINE = /^Plan: ([0-9a-f]{64})\r?$/m;

/** The hash stands on a line of its own, before anything that others named; a body that is too long says what it leaves out. */
export function renderPlanMarkdown(plan: Plan): string {
  const namespace = plan.target.namespace;
  const where = namespace === '' ? 'the cluster' : `namespace ${code(namespace)}`;
  const head = [
    `Plan: ${plan.hash}`,
    '',
    `Restores ${where} from ${code(plan.repository)} at ${code(plan.commit)}: ${countsLine(plan)}.`,
    '',
    ...volumeTable(plan),
    '| Action | Object | Reason |',
    '| --- | --- | --- |',
  ].join('\n');
  return clip(head, rowsOf(plan, false).map(renderRow));
}

/** Before the objects, which may be too many to be shown. */
function volumeTable(plan: Plan): readonly string[] {
  const { grade, rows } = volumeRowsOf(plan);
  if (rows.length === 0) return [];
  const shown = rows.slice(0, MOST_VOLUMES);
  const more = rows.length > MOST_VOLUMES ? [`| | ${rows.length - MOST_VOLUMES} more | |`] : [];
  return [
    `Volumes${grade === undefined ? '' : ` (${inert(grade)})`}:`,
    '',
    '| Data | Claim | Reason |',
    '| --- | --- | --- |',
    ...shown.map(({ action, claim, reason }) => `| ${action} | ${code(claim)} | ${inert(reason)} |`),
    ...more,
    '',
  ];
}

/** The hash of a body that `renderPlanMarkdown` wrote, also with another forge's line ends; undefined when there is none. */
export function parsePlanHash(markdown: string): string | undefined {
  return HASH_LINE.exec(markdown)?.[1];
}

function renderRow({ action, object, reason, details }: Row): string {
  const more = details.map((detail) => `<br>${inert(detail)}`).join('');
  return `| ${action} | ${code(object)} | ${inert(reason)}${more} |`;
}

function clip(head: string, rows: readonly string[]): string {
  const tail = (left: number) => `\n\n${left} more steps do not fit here; \`kubekeeper plan\` shows them all.\n`;
  let text = head;
  for (const [index, row] of rows.entries()) {
    if (text.length + row.length + 1 + tail(rows.length).length > LONGEST) return text + tail(rows.length - index);
    text += `\n${row}`;
  }
  return `${text}\n`;
}

/** Everything that Markdown or HTML could take for its own, links included, becomes a character reference. */
export function inert(text: string): string {
  return oneLine(text)
    .replace(/[^A-Za-z0-9 .,;:()='"\-/]/g, reference)
    .replace(/:(?=\/\/)|(?<=www)\./gi, reference);
}

/** In <code>, so that a name stays as it is; no Markdown is read inside of a reference. */
function code(text: string): string {
  return `<code>${inert(text)}</code>`;
}

/** Forges look for mentions and issues in what they have rendered, so a space of no width stands behind their signs. */
function reference(character: string): string {
  const after = character === '@' || character === '#' || character === '!' ? '&#8203;' : '';
  return `&#${character.codePointAt(0)};${after}`;
}
