import { refused } from './errors.ts';

/** A file system's longest name, less the `.lock` behind it. */
const LONGEST_PART = 250;

/** As git-check-ref-format has it; above all no way out of the repository. A short name (`good/1.4`) passes as a full one does. */
export function isRefName(name: string): boolean {
  if (name === '' || name === '@' || name.split('/').some((part) => Buffer.byteLength(part) > LONGEST_PART))
    return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused
  return !/\.\.|[\u0000-\u0020~^:?*[\\\u007f]|@\{|\/\/|(^|\/)\.|^\/|\/$|\.lock(\/|$)|\.$/.test(name);
}

/** Throws REQUEST_REFUSED for anything but the full name of a ref (`refs/KIND/NAME`). */
export function requireRefName(directory: string, name: string): void {
  if (name.startsWith('refs/') && isRefName(name)) return;
  throw refused(directory, `"${name}" is no name that Git allows for a ref`);
}
