import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDirectory } from './directory-lock.ts';
import { makeDirectory, syncDirectory, temporaryPath, writeSynced } from './durable-file.ts';
import { errnoOf, fileFailure } from './errors.ts';
import type { ObjectId } from './object-id.ts';

export interface BegunProposal {
  readonly restoreTo: ObjectId;
  /** Its hash. */
  readonly plan: string;
  /** RFC 3339: the restore of it began later. */
  readonly at: string;
}

/** What became of a pull request that was merged, in `restores/proposals/REPOSITORY-NUMBER.json` of the data directory. */
export type ProposalRecord =
  /** It is being applied, or was when somebody killed us. */
  | { readonly state: 'begun'; readonly begun: BegunProposal }
  /** Applied or refused, and not told yet. */
  | {
      readonly state: 'decided';
      readonly result: 'applied' | 'refused';
      /** One line. */
      readonly words: string;
      /** Markdown. */
      readonly comment: string;
    }
  | { readonly state: 'told' };

/** By one process at a time, so that no pull request is applied twice. */
export interface ProposalRecords extends AsyncDisposable {
  /** Where the work on one may put what it needs: gone with it, or with the next one's. */
  readonly scratch: string;
  read(repository: string, number: number): ProposalRecord | undefined;
  /** Durable when it resolves. */
  write(repository: string, number: number, record: ProposalRecord): Promise<void>;
}

const DIRECTORY = ['restores', 'proposals'] as const;

/** Throws DATA_DIRECTORY_IN_USE while another process has them, and DATA_DIRECTORY_UNUSABLE. */
export async function openProposalRecords(dataDirectory: string): Promise<ProposalRecords> {
  const directory = join(dataDirectory, ...DIRECTORY);
  try {
    await makeDirectory(dataDirectory, directory);
  } catch (error) {
    throw fileFailure(directory, 'make the directory', error);
  }
  const lock = await lockDirectory(directory);
  return {
    scratch: join(directory, '.scratch'),
    read: (repository, number) => read(directory, nameOf(repository, number)),
    write: async (repository, number, record) => {
      await lock.verify();
      await write(directory, nameOf(repository, number), record);
    },
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  };
}

function nameOf(repository: string, number: number): string {
  return `${repository}-${number}.json`;
}

/** A file that cannot be understood is an error: what it says may be that something was applied already. */
function read(directory: string, name: string): ProposalRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Partial<ProposalRecord>;
    if (!STATES.has(record.state ?? '')) throw new SyntaxError('It is no record of a proposal');
    return record as ProposalRecord;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileFailure(directory, `read ${name}`, error);
  }
}

const STATES: ReadonlySet<string> = new Set(['begun', 'decided', 'told']);

async function write(directory: string, name: string, record: ProposalRecord): Promise<void> {
  try {
    const temporary = temporaryPath(directory, '.tmp_');
    await writeSynced(temporary, `${JSON.stringify({ version: 1, ...record }, null, 2)}\n`, 0o600);
    await rename(temporary, join(directory, name));
    await syncDirectory(directory);
  } catch (error) {
    throw fileFailure(directory, `write ${name}`, error);
  }
}
