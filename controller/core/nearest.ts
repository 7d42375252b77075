/** The names, the one that was most likely meant first (Levenshtein distance, then alphabet). */
export function nearestFirst(names: readonly string[], wanted: string): readonly string[] {
  const distances = new Map(names.map((name) => [name, distance(name, wanted)]));
  const far = (name: string) => distances.get(name) ?? Number.POSITIVE_INFINITY;
  return [...names].sort((left, right) => far(left) - far(right) || (left < right ? -1 : 1));
}

function distance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
