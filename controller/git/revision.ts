import { KeeperError } from '../errors.ts';
import { parseCommit } from './commit-object.ts';
import { damaged } from './errors.ts';
import type { HistorySource } from './history.ts';
import { isObjectId, type ObjectId } from './object-id.ts';
import { isRefName } from './ref-name.ts';
import { MAIN, readRef } from './refs.ts';

/**
 * The commit that a person means: HEAD, a branch, a tag (peeled), a full ref, a full or short id (four digits and
 * more), each with `~N` or `^` behind it. Throws USAGE_INVALID when there is none, or more than one.
 */
export function resolve(source: HistorySource, revision: string): ObjectId {
  const [, name, steps] = /^(.*?)((?:~\d*|\^)*)$/s.exec(revision) as unknown as [string, string, string];
  let id = peelNamed(source, revision, name);
  for (const step of steps.match(/~\d*|\^/g) ?? []) {
    const count = step === '^' || step === '~' ? 1 : Number(step.slice(1));
    for (let i = 0; i < count; i++) {
      const [parent] = parseCommit(source.store.readAs('commit', id)).parents;
      if (parent === undefined) throw unknown(source, revision, 'the history is not that long');
      id = parent;
    }
  }
  return id;
}

function peelNamed(source: HistorySource, revision: string, name: string): ObjectId {
  const start = resolveName(source, revision, name);
  try {
    return peel(source, revision, start);
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'REPOSITORY_DAMAGED' || isObjectId(name)) throw error;
    const { file, problem } = error.details;
    throw damaged(source.store.directory, `"${name}"`, `leads to ${file}, which ${problem}`, error);
  }
}

function resolveName(source: HistorySource, revision: string, name: string): ObjectId {
  const { directory } = source.store;
  if (isObjectId(name)) return name;
  if (name === 'HEAD' || name === '@') {
    const head = readRef(directory, MAIN);
    if (head === undefined) throw unknown(source, revision, 'nothing was committed yet');
    return head;
  }
  for (const ref of isRefName(name) ? [`refs/heads/${name}`, `refs/tags/${name}`] : []) {
    const id = readRef(directory, ref);
    if (id !== undefined) return id;
  }
  if (name.startsWith('refs/') && isRefName(name)) {
    const id = readRef(directory, name);
    if (id !== undefined) return id;
  }
  return resolveShort(source, revision, name.toLowerCase());
}

function resolveShort(source: HistorySource, revision: string, digits: string): ObjectId {
  if (!/^[0-9a-f]{4,39}$/.test(digits)) throw unknown(source, revision, 'there is no such branch, tag or commit');
  const commits = [...source.store.startingWith(digits)].filter((id) => {
    const { type } = source.store.read(id);
    return type === 'commit' || type === 'tag';
  });
  const [id] = commits;
  if (id === undefined) throw unknown(source, revision, 'there is no such branch, tag or commit');
  if (commits.length > 1) throw unknown(source, revision, `it fits ${commits.length} commits, give more digits`);
  return id;
}

function peel(source: HistorySource, revision: string, start: ObjectId): ObjectId {
  let id = start;
  for (;;) {
    if (isObjectId(revision) && !source.store.has(id)) throw unknown(source, revision, 'there is no such commit');
    const { type, content } = source.store.read(id);
    if (type === 'commit') return id;
    const target = type === 'tag' ? /^object ([0-9a-f]{40})\n/.exec(content.toString('latin1', 0, 48))?.[1] : undefined;
    if (target === undefined) throw unknown(source, revision, `it is a ${type}, no commit`);
    id = target;
  }
}

function unknown(source: HistorySource, revision: string, problem: string): KeeperError {
  return new KeeperError(`Cannot find "${revision}" in "${source.store.directory}": ${problem}`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
    details: { directory: source.store.directory, revision },
  });
}
