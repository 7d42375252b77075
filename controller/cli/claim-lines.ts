import type { ClaimData } from '../core/data/claim-data.ts';
import { oneLine } from '../core/words.ts';
import { renderTable } from './output.ts';

/** The data of claims, a line each. */

export function renderClaims(claims: readonly ClaimData[], indent = '  '): string {
  return renderTable(
    claims.map((claim) => [
      `${indent}${claim.name}`,
      claim.state,
      renderBytes(claim.restoreSize ?? claim.size),
      aboutOf(claim),
    ]),
  );
}

function aboutOf({ state, why, cutAt }: ClaimData): string {
  const cut = cutAt === undefined ? [] : [`cut ${cutAt.slice(0, 19).replace('T', ' ')}Z`];
  const reason = why === undefined || state === 'ready' ? [] : [oneLine(why)];
  return [...cut, ...reason].join(', ');
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** '1.5 GiB'; '' for what is not known. */
export function renderBytes(bytes: number | undefined): string {
  if (bytes === undefined) return '';
  if (bytes < 1024) return `${bytes} B`;
  let [value, unit] = [bytes / 1024, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}
