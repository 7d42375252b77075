/** The valid spelling that was most likely meant. */

/** The nearest of `names` (Levenshtein distance, then alphabet); undefined when there are none. */
export function nearest(
  names: Iterable<string>,
  wanted: string,
  shorten?: (name: string) => string,
): string | undefined {
  let best: { name: string; far: number } | undefined;
  for (const name of names) {
    const far = Math.min(
      distance(name, wanted),
      shorten === undefined ? Number.POSITIVE_INFINITY : distance(shorten(name), wanted),
    );
    if (best === undefined || far < best.far || (far === best.far && name < best.name)) best = { name, far };
  }
  return best?.name;
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
