/** The difference of two texts line by line (Myers' greedy algorithm), as hunks with lines of context around them. */

export interface Hunk {
  /** The first line, from 1; of an empty side the line before. */
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  /** Each begins with ' ', '-' or '+'. */
  readonly lines: readonly string[];
}

/** Beyond this many single changes the rest is told as one block: nobody reads it, and the work grows with the square. */
const MOST_EDITS = 1500;

interface Edit {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
}

/** Empty when equal. Lines keep their line break; a last one without is told as Git does. */
export function diffLines(before: string, after: string, context: number): readonly Hunk[] {
  return hunksOf(edits(linesOf(before), linesOf(after)), context);
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : (text.match(/[^\n]*\n|[^\n]+$/g) ?? []);
}

function edits(old: readonly string[], new_: readonly string[]): readonly Edit[] {
  let start = 0;
  while (start < old.length && start < new_.length && old[start] === new_[start]) start++;
  let tail = 0;
  while (tail < old.length - start && tail < new_.length - start && old.at(-1 - tail) === new_.at(-1 - tail)) tail++;
  const keep = (line: string): Edit => ({ sign: ' ', line });
  return [
    ...old.slice(0, start).map(keep),
    ...middle(old.slice(start, old.length - tail), new_.slice(start, new_.length - tail)),
    ...old.slice(old.length - tail).map(keep),
  ];
}

function middle(old: readonly string[], new_: readonly string[]): readonly Edit[] {
  const removed = old.map((line): Edit => ({ sign: '-', line }));
  const added = new_.map((line): Edit => ({ sign: '+', line }));
  if (old.length === 0 || new_.length === 0) return [...removed, ...added];
  const trace = findPath(old, new_);
  return trace === undefined ? [...removed, ...added] : backtrack(trace, old, new_);
}

/** The furthest points of each number of edits; undefined when there are too many. Index `k + offset` is the diagonal k. */
function findPath(old: readonly string[], new_: readonly string[]): readonly Int32Array[] | undefined {
  const trace: Int32Array[] = [];
  const most = Math.min(old.length + new_.length, MOST_EDITS);
  let points = new Int32Array(3);
  for (let edit = 0; edit <= most; edit++) {
    const next = new Int32Array(2 * edit + 3);
    for (let k = -edit; k <= edit; k += 2) {
      const goesDown = k === -edit || (k !== edit && at(points, edit - 1, k - 1) < at(points, edit - 1, k + 1));
      let x = edit === 0 ? 0 : goesDown ? at(points, edit - 1, k + 1) : at(points, edit - 1, k - 1) + 1;
      while (x < old.length && x - k < new_.length && old[x] === new_[x - k]) x++;
      next[k + edit + 1] = x;
      if (x >= old.length && x - k >= new_.length) return [...trace, next];
    }
    trace.push(next);
    points = next;
  }
  return undefined;
}

/** Of the furthest points after so many edits. */
function at(points: Int32Array, edit: number, k: number): number {
  return points[k + edit + 1] ?? 0;
}

function backtrack(trace: readonly Int32Array[], old: readonly string[], new_: readonly string[]): readonly Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [old.length, new_.length];
  for (let edit = trace.length - 1; edit > 0; edit--) {
    const points = trace[edit - 1] as Int32Array;
    const k = x - y;
    const goesDown = k === -edit || (k !== edit && at(points, edit - 1, k - 1) < at(points, edit - 1, k + 1));
    const from = goesDown ? k + 1 : k - 1;
    const fromX = at(points, edit - 1, from);
    const stop = goesDown ? fromX : fromX + 1;
    while (x > stop) edits.push({ sign: ' ', line: old[--x] as string });
    y = x - k;
    if (goesDown) edits.push({ sign: '+', line: new_[--y] as string });
    else edits.push({ sign: '-', line: old[--x] as string });
  }
  while (x > 0) edits.push({ sign: ' ', line: old[--x] as string });
  return removalsFirst(edits.reverse());
}

/** Within a run of changes, what goes stands before what comes. */
function removalsFirst(edits: readonly Edit[]): readonly Edit[] {
  const sorted: Edit[] = [];
  let added: Edit[] = [];
  for (const edit of edits) {
    if (edit.sign === '+') added.push(edit);
    else if (edit.sign === '-') sorted.push(edit);
    else {
      sorted.push(...added, edit);
      added = [];
    }
  }
  return [...sorted, ...added];
}

function hunksOf(all: readonly Edit[], context: number): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let [oldLine, newLine, index] = [0, 0, 0];
  const pass = ({ sign }: Edit) => {
    if (sign !== '+') oldLine++;
    if (sign !== '-') newLine++;
  };
  for (const [begin, end] of ranges(all, context)) {
    for (; index < begin; index++) pass(all[index] as Edit);
    const [oldBefore, newBefore] = [oldLine, newLine];
    const lines: string[] = [];
    for (; index < end; index++) {
      const edit = all[index] as Edit;
      pass(edit);
      lines.push(`${edit.sign}${edit.line}`);
    }
    const [oldLines, newLines] = [oldLine - oldBefore, newLine - newBefore];
    const oldStart = oldLines === 0 ? oldBefore : oldBefore + 1;
    const newStart = newLines === 0 ? newBefore : newBefore + 1;
    hunks.push({ oldStart, oldLines, newStart, newLines, lines: lines.map(ended) });
  }
  return hunks;
}

function ended(line: string): string {
  return line.endsWith('\n') ? line.slice(0, -1) : `${line}\n\\ No newline at end of file`;
}

/** The changes with their context; those that touch are one. */
function ranges(all: readonly Edit[], context: number): readonly (readonly [begin: number, end: number])[] {
  const found: [number, number][] = [];
  for (const [index, { sign }] of all.entries()) {
    if (sign === ' ') continue;
    const [begin, end] = [Math.max(0, index - context), Math.min(all.length, index + 1 + context)];
    const last = found.at(-1);
    if (last !== undefined && begin <= last[1]) last[1] = end;
    else found.push([begin, end]);
  }
  return found;
}
