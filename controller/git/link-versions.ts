import { type MergeTable, NONE } from './merge-table.ts';
import { objectTypeOf } from './pack-format.ts';

/** As in Git: longer chains would make old versions slow to read. */
const DEEPEST = 50;

/**
 * Makes a row a delta of an earlier version, if it is not a delta yet. A plain chain would be too deep after fifty
 * versions, so chains are skip lists: an id's trailing zero bits decide how far back its base lies (one version in
 * eight skips its small ones, one in 64 those of the next level). Depth and distance both grow with the logarithm of
 * the number of versions, and nothing has to be remembered between two consolidations.
 */
export function linkVersions(table: MergeTable, row: number, earlier: number): boolean {
  if (row === NONE || earlier === NONE || row === earlier || table.base[row] !== NONE) return false;
  const type = table.type[row] as number;
  if (objectTypeOf(type) === undefined || typeAtRoot(table, earlier) !== type) return false;
  const base = chooseBase(table, row, earlier);
  if (base === NONE) return false;
  table.base[row] = base;
  table.planned[row] = 1;
  let height = (table.height[row] as number) + 1;
  for (
    let below = base;
    below !== NONE && height > (table.height[below] as number);
    below = table.base[below] as number
  ) {
    table.height[below] = height++;
  }
  return true;
}

function chooseBase(table: MergeTable, row: number, earlier: number): number {
  const chain: number[] = [];
  for (let at = earlier; at !== NONE; at = table.base[at] as number) {
    if (at === row) return NONE;
    chain.push(at);
  }
  const deepest = DEEPEST - 1 - (table.height[row] as number);
  const level = levelOf(table, row);
  const found = chain.findIndex((each, i) => {
    const depth = chain.length - 1 - i;
    return depth <= deepest && (depth === 0 || levelOf(table, each) >= level);
  });
  return found < 0 ? NONE : (chain[found] as number);
}

function levelOf(table: MergeTable, row: number): number {
  const bits = table.ids.readUInt32BE(row * 20 + 16);
  return bits === 0 ? 10 : Math.floor((31 - Math.clz32(bits & -bits)) / 3);
}

function typeAtRoot(table: MergeTable, row: number): number {
  let at = row;
  while (table.base[at] !== NONE) at = table.base[at] as number;
  return table.type[at] as number;
}
