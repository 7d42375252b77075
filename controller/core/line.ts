/**
 * A namespace that was deleted and made again by somebody else has the same name and another uid. So a history belongs to a uid: it
 * is a line, and the next uid begins another one. No name of a namespace holds a dot, so names with one are free for ended lines.
 */

const MARK_LENGTH = 8;

/** What tells one line from another in names: the first eight letters and digits of its uid. */
export function lineMark(uid: string): string {
  return uid
    .replace(/[^0-9A-Za-z]/g, '')
    .slice(0, MARK_LENGTH)
    .toLowerCase()
    .padEnd(MARK_LENGTH, '0');
}

/** Is a repository of this name an ended line, which nothing is archived into? */
export function isEndedLine(repository: string): boolean {
  return repository.includes('.');
}

/** The namespace of a repository, ended lines included: 'shop' of 'shop.1a2b3c4d'. */
export function namespaceOf(repository: string): string {
  return repository.split('.', 1)[0] as string;
}

/**
 * What stands for {namespace} in the remote's URL. Only the first line of a namespace has its plain name there: a later one may not
 * go where others can read or have written, and a remote's history is never rewritten.
 */
export function remoteName(namespace: string, line: string | undefined): string {
  return line === undefined ? namespace : `${namespace}.${line}`;
}
