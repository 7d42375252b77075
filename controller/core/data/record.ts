import { z } from 'zod';
import { KeeperError } from '../../errors.ts';
import { parseJson, renderJson } from '../json.ts';
import { jsonProblem } from '../json-problem.ts';
import type { Json } from '../object.ts';
import { oneLine } from '../words.ts';
import { gradeOf } from './grade.ts';

/**
 * The note on a commit (`refs/notes/data`): what became of the volume data that was asked for with it. docs/format.md is the
 * specification. Anybody who may push notes may have written one, so it is checked whole before anything of it is used.
 */

const NAME = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'is not a name of Kubernetes');
const TIME = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/, 'is not a time such as 2026-11-21T12:00:00Z')
  .refine((text) => !Number.isNaN(Date.parse(text)), 'is not a time such as 2026-11-21T12:00:00Z');
const BYTES = z.number().int().min(0);
const WORDS = z.string().max(1000);
const HANDLE = z.string().min(1).max(1024);
const COMMIT = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'is not the id of a commit');

const claimSchema = z.looseObject({
  /** Of the claim. */
  uid: z.string().min(1).max(128),
  volumeSnapshot: NAME,
  driver: z.string().min(1).max(253),
  class: NAME,
  /** pending: asked for · ready: handle known and ready to use · failed: see why · pruned: was there and is not any more. */
  state: z.enum(['pending', 'ready', 'failed', 'pruned']),
  why: WORDS.optional(),
  askedAt: TIME,
  /** The VolumeSnapshotContent. */
  content: NAME.optional(),
  /** What the driver calls the snapshot: all that a restore needs besides the driver. */
  handle: HANDLE.optional(),
  /** The VolumeGroupSnapshot that it was cut with, and the driver's handle of that. */
  group: NAME.optional(),
  /** In a group: its own VolumeSnapshot, which the driver's controller names. */
  member: NAME.optional(),
  groupHandle: HANDLE.optional(),
  /** When the driver cut it, by the driver's clock. */
  creationTime: TIME.optional(),
  readyAt: TIME.optional(),
  /** It may go; the driver may have it still. */
  prunedAt: TIME.optional(),
  /** The driver has it no more. */
  removedAt: TIME.optional(),
  /** Bytes: the least that a claim must have to hold it. */
  restoreSize: BYTES.optional(),
  /** Bytes: of the claim. */
  size: BYTES.optional(),
  volumeMode: z.enum(['Filesystem', 'Block']).optional(),
  accessModes: z.array(z.string().max(64)).max(8).optional(),
  storageClass: NAME.optional(),
});

const noteSchema = z.looseObject({
  version: z.literal(1),
  askedAt: TIME.optional(),
  /** Hooks held the applications still while every snapshot was cut. */
  quiesced: z.boolean().optional(),
  /** What hooks, or rights, kept from being as it should: 'pod db-0: pre hook ended with exit code 1'. */
  problems: z.array(WORDS).max(100).optional(),
  claims: z.record(NAME, claimSchema).optional(),
  /** Claims that no snapshot was asked of. excluded: somebody said so. impossible: it could not be. */
  skipped: z.record(NAME, z.looseObject({ kind: z.enum(['excluded', 'impossible']), why: WORDS })).optional(),
  /** The commit whose snapshots stand for this one. */
  coveredBy: COMMIT.optional(),
});

export type ClaimRecord = z.infer<typeof claimSchema>;
/** Fields that this version does not know are kept as they are. */
export type DataNote = z.infer<typeof noteSchema>;

const LARGEST = 1_048_576;

/** Stable JSON, with the grade and the spread that follow from the claims: for whoever reads it with Git alone. */
export function renderNote(note: DataNote): string {
  const isCovered = note.coveredBy !== undefined && note.claims === undefined;
  const { grade: _grade, spreadMs: _spread, ...told } = note;
  const { grade, spreadMs } = gradeOf(note);
  const whole = isCovered ? note : { ...told, grade, ...(spreadMs === undefined ? {} : { spreadMs }) };
  return renderJson(withoutUndefined(whole as unknown as Json));
}

function withoutUndefined(value: Json): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || JSON.isRawJSON(value)) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([key, field]) => [key, withoutUndefined(field)]));
}

/**
 * Reads the note on `commit`. Throws KeeperError REPOSITORY_TOO_NEW for a later version and REPOSITORY_HOSTILE for what no kubekeeper
 * wrote: its first fault is named, never its content.
 */
export function parseNote(text: string, commit: string): DataNote {
  const value = parseDocument(text, commit);
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > 1) {
    throw new KeeperError(
      `Cannot read the data note on commit ${commit}: it is version ${version} and this kubekeeper knows version 1; nothing was changed, use a newer kubekeeper`,
      { kind: 'invalid-input', code: 'REPOSITORY_TOO_NEW', details: { commit, version } },
    );
  }
  const parsed = noteSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  throw odd(commit, `${renderPlace(issue.path)} ${wordsOf(issue)}`);
}

function parseDocument(text: string, commit: string): unknown {
  if (text.length > LARGEST) throw odd(commit, `is larger than ${LARGEST} bytes`);
  const problem = jsonProblem(text);
  if (problem !== undefined) throw odd(commit, oneLine(problem));
  try {
    return parseJson(text);
  } catch (cause) {
    throw odd(commit, 'is not JSON', cause);
  }
}

function renderPlace(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'the note' : oneLine(path.map(String).join('.')).slice(0, 120);
}

/** Zod's own words may quote what was found. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key') return 'is not a name of Kubernetes';
  if (issue.code === 'invalid_value') return `is none of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') return `is not what it should be: ${issue.expected}`;
  if (issue.code === 'invalid_format' || issue.code === 'custom') return issue.message;
  return 'is too large or too small';
}

function odd(commit: string, problem: string, cause?: unknown): KeeperError {
  return new KeeperError(
    `Cannot read the data note on commit ${commit}: ${problem}; nothing of it was used, look with "git notes --ref=data show ${commit}"`,
    { kind: 'stalled', code: 'REPOSITORY_HOSTILE', details: { commit }, cause },
  );
}
