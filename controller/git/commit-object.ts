import type { ObjectId } from './object-id.ts';

export interface Identity {
  readonly name: string;
  readonly email: string;
}

export interface CommitDraft {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Identity;
  readonly committer: Identity;
  /** The committer's. */
  readonly time: Date;
  /** The committer's when left out. */
  readonly authorTime?: Date;
  readonly message: string;
}

export interface Trailer {
  readonly key: string;
  readonly value: string;
}

export interface ParsedCommit {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Identity;
  readonly committer: Identity;
  /** The committer's, to the second. */
  readonly time: Date;
  readonly authorTime: Date;
  readonly message: string;
}

/** The bytes of a commit object. Times are written in UTC. */
export function renderCommit(draft: CommitDraft): Buffer {
  const lines = [
    `tree ${draft.tree}`,
    ...draft.parents.map((parent) => `parent ${parent}`),
    `author ${renderSignature(draft.author, draft.authorTime ?? draft.time)}`,
    `committer ${renderSignature(draft.committer, draft.time)}`,
  ];
  return Buffer.from(`${lines.join('\n')}\n\n${endLine(draft.message)}`);
}

/** Git ends a message at a NUL, so one would hide what follows it. */
export function endLine(message: string): string {
  const text = message.replaceAll('\0', '\ufffd');
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** Names come from the cluster: a line break or an angle bracket in one would forge a header. Times are in UTC. */
export function renderSignature({ name, email }: Identity, time: Date): string {
  const seconds = Math.floor(time.getTime() / 1000);
  return `${sanitiseName(name) || 'unknown'} <${sanitiseName(email).replaceAll(' ', '')}> ${seconds} +0000`;
}

function sanitiseName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return name.replace(/[\u0000-\u001f\u007f<>\s]+/g, ' ').trim();
}

/** Throws a RangeError when the bytes are no commit. */
export function parseCommit(content: Buffer): ParsedCommit {
  const text = content.toString('utf8');
  const end = text.indexOf('\n\n');
  const headers = (end < 0 ? text : text.slice(0, end)).split('\n');
  const values = (key: string) =>
    headers.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const tree = values('tree')[0];
  const author = parseSignature(values('author')[0]);
  const committer = parseSignature(values('committer')[0]);
  if (tree === undefined || author === undefined || committer === undefined) throw new RangeError('Not a commit');
  return {
    tree,
    parents: values('parent'),
    author: author.identity,
    committer: committer.identity,
    time: committer.time,
    authorTime: author.time,
    message: end < 0 ? '' : text.slice(end + 2),
  };
}

export function parseSignature(line: string | undefined): { identity: Identity; time: Date } | undefined {
  const parts = /^(.*?) ?<(.*?)> (-?\d+)/.exec(line ?? '');
  if (parts === null) return undefined;
  return {
    identity: { name: parts[1] as string, email: parts[2] as string },
    time: new Date(Number(parts[3]) * 1000),
  };
}

/** The `Key: value` lines of the last paragraph; a paragraph that holds anything else is no block of trailers. */
export function parseTrailers(message: string): Trailer[] {
  const paragraphs = message.trimEnd().split(/\n(?:[ \t]*\n)+/);
  const last = paragraphs.length > 1 ? (paragraphs.at(-1) as string) : '';
  const trailers: Trailer[] = [];
  for (const line of last.split('\n')) {
    const parts = /^([A-Za-z0-9-]+)\s*: ?(.*)$/.exec(line);
    const previous = trailers.at(-1);
    if (parts !== null) trailers.push({ key: parts[1] as string, value: (parts[2] as string).trim() });
    else if (/^\s/.test(line) && previous !== undefined) {
      trailers[trailers.length - 1] = { key: previous.key, value: `${previous.value} ${line.trim()}` };
    } else return [];
  }
  return trailers;
}
