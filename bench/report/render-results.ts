import type { Bench } from '../bench.ts';
import { formatNumber, formatWith } from './format.ts';
import type { Machine } from './machine.ts';
import type { Result } from './result-files.ts';
import { isMet, type Section, type Table, type Target } from './section.ts';

/** RESULTS.md: the targets on one page, then a section per bench. */
export function renderResults(measured: readonly { readonly bench: Bench; readonly result: Result }[]): string {
  const sections = measured.map(({ bench, result }) => ({ bench, result, section: bench.describe(result.figures) }));
  const summary = sections.flatMap(({ bench, section }) =>
    section.targets.map((target) => [bench.name, ...targetRow(target)]),
  );
  const overview: Table = { caption: '', columns: ['bench', 'what', 'reach', 'measured', ''], rows: summary };
  return `${[
    '# Measured figures',
    'Written by `npm run bench` from bench/results/; do not edit. Believe the ratios, which come from interleaved rounds of one run; ' +
      'absolute times belong to the machine. Figures are medians, with the least and the most in brackets.',
    ...renderMachines(sections.map(({ result }) => result)),
    '## Targets',
    renderTable(overview),
    ...sections.flatMap(({ bench, result, section }) => [`## ${bench.title}`, ...renderSection(section, result)]),
  ].join('\n\n')}\n`;
}

/** For the screen after a run: the same words as in RESULTS.md. */
export function renderSection(section: Section, result: Result): readonly string[] {
  const rows = section.targets.map(targetRow);
  return [
    ...section.how,
    ...(rows.length === 0
      ? []
      : [renderTable({ caption: 'Targets', columns: ['what', 'reach', 'measured', ''], rows })]),
    ...section.tables.map(renderTable),
    ...(section.remarks.length === 0 ? [] : [section.remarks.map((remark) => `- ${remark}`).join('\n')]),
    `Measured ${result.date.slice(0, 10)}, with a load of ${formatNumber(result.machine.loadBefore)} before it.`,
  ];
}

function targetRow(target: Target): readonly string[] {
  const { what, reach, limit, value, unit } = target;
  const off = Math.abs(value / limit - 1) * 100;
  const verdict = isMet(target) ? 'met' : `**missed by ${formatNumber(off)} %**`;
  return [what, `${reach} ${limit.toLocaleString('en-US')} ${unit}`, formatWith(value, unit), verdict];
}

function renderMachines(results: readonly Result[]): readonly string[] {
  const [newest] = results.toSorted((left, right) => (left.date < right.date ? 1 : -1));
  return newest === undefined ? [] : ['## The machine', renderMachine(newest.machine)];
}

function renderMachine(machine: Machine): string {
  return [
    `${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB of memory, ${machine.kernel}, Node ${machine.node}, Git ${machine.git}, ` +
      `${machine.fileSystem}; a synced write of 4 KB takes ${formatNumber(machine.syncedWriteMs)} ms.`,
    'The API server and etcd run on the same cores; etcd does not sync its own files.',
  ].join(' ');
}

function renderTable({ caption, columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = line(columns.map((_, place) => (place === 0 ? '---' : '---:')));
  const table = [line(columns), rule, ...rows.map(line)].join('\n');
  return caption === '' ? table : `${caption}:\n\n${table}`;
}
