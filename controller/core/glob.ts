/** Globs as people type them for names: `*` any run of characters, `?` one, all else literal. */

/** A test for one glob; the whole text must match. */
export function compileGlob(glob: string): (text: string) => boolean {
  if (!/[*?]/.test(glob)) return (text) => text === glob;
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 's');
  return (text) => expression.test(text);
}

/** Does any of the globs match? */
export function compileGlobs(globs: readonly string[]): (text: string) => boolean {
  const tests = globs.map(compileGlob);
  return (text) => tests.some((test) => test(text));
}
