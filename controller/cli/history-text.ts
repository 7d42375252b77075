import type { HistorySourceConfig } from '../config-history.ts';
import { oneLine } from '../core/words.ts';
import { quoteWord } from './output.ts';

/** How histories are shown to people: times, ids, colours, and the command that comes next. */

/** In UTC, as --since and --to take it. */
export function stamp(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

export function shortId(id: string): string {
  return id.slice(0, 10);
}

/** `[good/friday, pre/update]`; '' for none. */
export function renderTags(tags: readonly string[]): string {
  return tags.length === 0 ? '' : `[${tags.map(oneLine).join(', ')}]`;
}

/** A command of ours as a person would type it, for the same repository. */
export function commandLine(words: readonly string[], { from, dataDirectory }: HistorySourceConfig): string {
  const where =
    from !== undefined ? ['--from', from] : dataDirectory === './kubekeeper-data' ? [] : ['--data-dir', dataDirectory];
  return ['kubekeeper', ...words, ...where].map(quoteWord).join(' ');
}

const COLOURS: Readonly<Record<string, number>> = { '+': 32, '-': 31, '~': 33, '@': 36 };

/** Coloured by its sign on a terminal, unless $NO_COLOR says no. */
export function paint(sign: string, line: string): string {
  const colour = COLOURS[sign];
  const isColoured = process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  return isColoured && colour !== undefined ? `\u001b[${colour}m${line}\u001b[0m` : line;
}
