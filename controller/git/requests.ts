import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Identity } from './commit-object.ts';
import { removeFile, syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import { errnoOf, fileFailure } from './errors.ts';
import { isObjectId } from './object-id.ts';

/**
 * One process writes a data directory, so a command beside it asks by a file: `requests/ID.json`, answered in
 * `requests/ID.answer.json`. Each comes into being by a rename, so nobody reads half of one.
 */

/** An annotated tag on a commit. */
export interface TagRequest {
  readonly do: 'tag';
  readonly repository: string;
  /** Below `refs/tags/`. */
  readonly name: string;
  readonly target: string;
  readonly message: string;
  readonly tagger: Identity;
}

/** What was seen until now is committed, and that commit gets an annotated tag. */
export interface PointRequest {
  readonly do: 'point';
  readonly repository: string;
  readonly name: string;
  readonly message: string;
  readonly tagger: Identity;
}

/** What was seen until now is committed together with fresh snapshots of all volumes; the tag is optional. */
export interface BackupRequest {
  readonly do: 'backup';
  readonly repository: string;
  readonly name?: string;
  readonly message: string;
  readonly tagger: Identity;
}

export type Wish = TagRequest | PointRequest | BackupRequest;

export type Request = Wish & { readonly id: string };

export type Answer =
  /** `tag`: where one was asked for. */
  | { readonly ok: true; readonly commit: string; readonly tag?: string }
  | { readonly ok: false; readonly reason: string; readonly code: string };

const DIRECTORY = 'requests';
const REQUEST = /^([0-9a-f]{24})\.json$/;
const ANSWER_SUFFIX = '.answer.json';
const LEFTOVER = '.tmp_';
/** Nobody waits so long: neither for an answer nor to read one. */
const OUT_OF_DATE_MS = 10 * 60_000;
const LOOK_EVERY_MS = 100;

/** Answers the id to wait for. */
export async function writeRequest(dataDirectory: string, request: Wish): Promise<string> {
  const id = randomBytes(12).toString('hex');
  await write(dataDirectory, `${id}.json`, { id, at: new Date().toISOString(), ...request });
  return id;
}

/** What waits for an answer. What is too old, and what no kubekeeper wrote, is answered or removed here. */
export async function takeRequests(dataDirectory: string): Promise<readonly Request[]> {
  const directory = join(dataDirectory, DIRECTORY);
  try {
    const names = await readdir(directory);
    const requests: Request[] = [];
    for (const name of names) {
      const id = REQUEST.exec(name)?.[1];
      if (id === undefined) await removeOutOfDate(join(directory, name));
      else {
        const request = await takeOne(dataDirectory, id);
        if (request !== undefined) requests.push(request);
      }
    }
    return requests;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileFailure(directory, 'read requests', error);
  }
}

/** The request goes only once its answer can be read. */
export async function answerRequest(dataDirectory: string, id: string, answer: Answer): Promise<void> {
  await write(dataDirectory, `${id}${ANSWER_SUFFIX}`, answer);
  await removeFile(join(dataDirectory, DIRECTORY, `${id}.json`));
}

/** Nobody waits for it any more; one that is being carried out is not stopped by this. */
export async function withdrawRequest(dataDirectory: string, id: string): Promise<void> {
  await removeFile(join(dataDirectory, DIRECTORY, `${id}.json`));
}

/**
 * The answer, which is used up by reading it. Undefined after the time, or once `isGivenUp` says so, which is asked about once a
 * second. Throws the signal's reason.
 */
export async function waitAnswer(
  dataDirectory: string,
  id: string,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number; readonly isGivenUp?: () => Promise<boolean> },
): Promise<Answer | undefined> {
  const path = join(dataDirectory, DIRECTORY, `${id}${ANSWER_SUFFIX}`);
  const deadline = performance.now() + options.timeoutMs;
  for (let look = 1; ; look++) {
    options.signal.throwIfAborted();
    const answer = await readAnswer(path);
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) return undefined;
    if (look % 10 === 0 && (await options.isGivenUp?.()) === true) return await readAnswer(path);
    await wait(LOOK_EVERY_MS, undefined, { signal: options.signal });
  }
}

async function takeOne(dataDirectory: string, id: string): Promise<Request | undefined> {
  const path = join(dataDirectory, DIRECTORY, `${id}.json`);
  const content = await readJson(path);
  // Withdrawn under our eyes.
  if (content === undefined) return undefined;
  const request = parseRequest(id, content);
  if (request !== undefined && (await ageOf(path)) <= OUT_OF_DATE_MS) return request;
  const reason = request === undefined ? 'it is no request that this kubekeeper understands' : 'it is too old';
  await answerRequest(dataDirectory, id, { ok: false, reason, code: 'REQUEST_REFUSED' });
  return undefined;
}

function parseRequest(id: string, content: Readonly<Record<string, unknown>>): Request | undefined {
  const { version, repository, name, target, message, tagger } = content;
  if (version !== 1 || !isText(repository) || !isText(message) || !isIdentity(tagger)) return undefined;
  const common = { id, repository, message, tagger };
  if (content['do'] === 'backup' && name === undefined) return { do: 'backup', ...common };
  if (!isText(name)) return undefined;
  const rest = { ...common, name };
  if (content['do'] === 'tag' && isText(target) && isObjectId(target)) return { do: 'tag', target, ...rest };
  return content['do'] === 'point' || content['do'] === 'backup' ? { do: content['do'], ...rest } : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isIdentity(value: unknown): value is Identity {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'email' in value &&
    isText(value.name) &&
    isText(value.email)
  );
}

async function readAnswer(path: string): Promise<Answer | undefined> {
  const content = await readJson(path);
  if (content === undefined) return undefined;
  await removeFile(path);
  const { ok, commit, tag, reason, code } = content;
  if (ok === true && isText(commit)) return { ok, commit, ...(isText(tag) ? { tag } : {}) };
  return {
    ok: false,
    reason: isText(reason) ? reason : 'its answer cannot be read',
    code: isText(code) ? code : 'DEFECT',
  };
}

/** Undefined when it is not there; a file that is no object of JSON is an empty one. */
async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileFailure(path, 'read a request', error);
  }
}

/** Answers that nobody read, and what a killed process left of a file. */
async function removeOutOfDate(path: string): Promise<void> {
  const isOurs = path.endsWith(ANSWER_SUFFIX) || path.includes(`/${LEFTOVER}`);
  if (isOurs && (await ageOf(path)) > OUT_OF_DATE_MS) await removeFile(path);
}

async function ageOf(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function write(dataDirectory: string, name: string, content: object): Promise<void> {
  const directory = join(dataDirectory, DIRECTORY);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const temporary = temporaryPath(directory, LEFTOVER);
    await writeSynced(temporary, `${JSON.stringify({ version: 1, ...content }, null, 2)}\n`, 0o600);
    await rename(temporary, join(directory, name));
    await syncDirectory(directory);
  } catch (error) {
    throw fileFailure(directory, `write ${name}`, error);
  }
}
