import type { Plan } from './plan.ts';
import { countsLine, rowsOf, volumeRowsOf } from './plan-rows.ts';

export { parsePlanHash, renderPlanMarkdown } from './plan-markdown.ts';

/** The plan for a terminal: action, object and reason of each step, what differs below it, and the counts at the end. Ends with a newline. */
export function renderPlan(plan: Plan, { verbose = false }: { readonly verbose?: boolean } = {}): string {
  const rows = rowsOf(plan, verbose);
  const width = Math.min(60, Math.max(0, ...rows.map(({ object }) => object.length)));
  const indent = ' '.repeat(10);
  const lines = rows.flatMap(({ action, object, reason, details }) => [
    `${action.padEnd(9)} ${object.padEnd(width)}  ${reason}`.trimEnd(),
    ...details.map((detail) => `${indent}${detail}`),
  ]);
  lines.push(...volumeLines(plan));
  const counts = `Plan ${plan.hash.slice(0, 12)}: ${countsLine(plan)}`;
  return `${[...lines, ...(lines.length === 0 ? [] : ['']), counts].join('\n')}\n`;
}

function volumeLines(plan: Plan): readonly string[] {
  const { grade, rows } = volumeRowsOf(plan);
  if (rows.length === 0) return [];
  const width = Math.min(60, Math.max(...rows.map(({ claim }) => claim.length)));
  const body = rows.map(({ action, claim, reason }) => `  ${action.padEnd(8)} ${claim.padEnd(width)}  ${reason}`);
  return ['', grade === undefined ? 'volumes:' : `volumes: ${grade}`, ...body];
}
