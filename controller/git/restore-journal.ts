import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type JournalEntry,
  type RestoreHeader,
  type RestoreJournal,
  type RestoreRecord,
  readJournal,
} from '../core/restore/journal.ts';
import { KeeperError } from '../errors.ts';
import { syncDirectory } from './durable-file.ts';
import { errnoOf, fileFailure } from './errors.ts';
import { makePrivate } from './private-directory.ts';

/** The journals of restores: `restores/ID/journal.jsonl` in the data directory, for its owner alone. */

const DIRECTORY = 'restores';
const FILE = 'journal.jsonl';

export interface OpenJournal extends RestoreJournal, AsyncDisposable {
  /** The file, to tell about. */
  readonly path: string;
}

/** `directory` is the data directory, or one for state where there is none. The header is on the disk when this resolves. */
export async function createJournal(directory: string, header: RestoreHeader): Promise<OpenJournal> {
  try {
    const folder = await makePrivate(directory, [DIRECTORY, header.id]);
    const path = join(folder, FILE);
    const file = await open(path, 'ax', 0o600);
    const journal = new JournalFile(directory, path, file);
    await journal.write(header, true);
    await syncDirectory(folder);
    return journal;
  } catch (error) {
    throw fileFailure(directory, `write ${DIRECTORY}/${header.id}`, error);
  }
}

/** A word more in a journal that nobody writes any more: it was gone on with, or given up. */
export async function closeJournal(
  directory: string,
  id: string,
  as: Extract<JournalEntry, { type: 'closed' }>['as'],
): Promise<void> {
  try {
    const path = journalPath(directory, id);
    // A line that was cut ends here; whoever reads leaves it out.
    const isCut = !(await readFile(path, 'utf8')).endsWith('\n');
    await using journal = new JournalFile(directory, path, await open(path, 'a', 0o600));
    if (isCut) await journal.drop();
    await journal.append({ type: 'closed', as }, true);
  } catch (error) {
    throw fileFailure(directory, `close ${DIRECTORY}/${id}`, error);
  }
}

interface Line {
  readonly text: string;
  readonly durable: boolean;
  readonly written: PromiseWithResolvers<void>;
}

class JournalFile implements OpenJournal {
  readonly path: string;
  readonly #directory: string;
  readonly #file: FileHandle;
  /** Bytes of whole lines; nobody else writes here. */
  #size: number | undefined;
  /** Lines that come while others are written go together. */
  #waiting: Line[] = [];
  #writing: Promise<void> | undefined;

  constructor(directory: string, path: string, file: FileHandle) {
    this.#directory = directory;
    this.path = path;
    this.#file = file;
  }

  append(entry: JournalEntry, durable = false): Promise<void> {
    return this.write(entry, durable);
  }

  write(line: object, durable: boolean): Promise<void> {
    const written = Promise.withResolvers<void>();
    this.#waiting.push({ text: `${JSON.stringify(line)}\n`, durable, written });
    this.#writing ??= this.#writeAll();
    return written.promise;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      const size = this.#size ?? (await this.#file.stat()).size;
      const bytes = Buffer.from(lines.map(({ text }) => text).join(''));
      try {
        await this.#file.appendFile(bytes);
        this.#size = size + bytes.length;
        if (lines.some(({ durable }) => durable)) await this.#file.datasync();
        for (const { written } of lines) written.resolve();
      } catch (error) {
        // A full disk takes half a line; whatever comes next must not stand behind it.
        await this.#file.truncate(size).catch(() => undefined);
        this.#size = undefined;
        const failure = fileFailure(this.#directory, `write ${DIRECTORY}`, error);
        for (const { written } of lines) written.reject(failure);
      }
    }
    this.#writing = undefined;
  }

  /** Takes away what comes after the last whole line. */
  async drop(): Promise<void> {
    const text = await readFile(this.path);
    await this.#file.truncate(text.lastIndexOf(0x0a) + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }
}

/** Undefined when there is none of this id. Throws REQUEST_REFUSED for one that cannot be understood. */
export async function readRestore(directory: string, id: string): Promise<RestoreRecord | undefined> {
  if (!isId(id)) return undefined;
  try {
    return readJournal(await readFile(journalPath(directory, id), 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) throw unreadable(directory, id, error);
    throw fileFailure(directory, `read ${DIRECTORY}/${id}`, error);
  }
}

/** The newest first. Those that were killed before their header was written did nothing, and are left out. */
export async function listRestores(directory: string): Promise<readonly RestoreRecord[]> {
  const records: RestoreRecord[] = [];
  for (const id of await idsIn(directory)) {
    const path = journalPath(directory, id);
    const text = await readFile(path, 'utf8').catch((error: unknown) => missing(directory, error));
    if (!text.includes('\n')) continue;
    const record = await readRestore(directory, id);
    if (record !== undefined) records.push(record);
  }
  return records.sort((left, right) => (left.header.started < right.header.started ? 1 : -1));
}

/** The newest restore of a repository, when it did not come to its end. */
export async function unfinishedRestore(directory: string, repository: string): Promise<RestoreRecord | undefined> {
  const own = (await listRestores(directory)).filter(({ header }) => header.repository === repository);
  const [newest] = own;
  return newest === undefined || newest.closed === 'finished' || newest.closed === 'resumed' ? undefined : newest;
}

async function idsIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(join(directory, DIRECTORY))).filter(isId);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileFailure(directory, `list ${DIRECTORY}`, error);
  }
}

function missing(directory: string, error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return '';
  throw fileFailure(directory, `read ${DIRECTORY}`, error);
}

function journalPath(directory: string, id: string): string {
  return join(directory, DIRECTORY, id, FILE);
}

/** Never a way out of the directory. */
function isId(id: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{0,80}$/i.test(id);
}

function unreadable(directory: string, id: string, cause: SyntaxError): KeeperError {
  return new KeeperError(
    `Cannot understand ${DIRECTORY}/${id}/${FILE} in "${directory}": ${cause.message}; nothing was changed, plan that restore again instead of resuming it`,
    { kind: 'stalled', code: 'REQUEST_REFUSED', details: { directory, id }, cause },
  );
}
