import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { parseOutputFormat } from '../config.ts';
import { parseRestoreConfig, RESTORE_SETTINGS, type RestoreConfig } from '../config-restore.ts';
import { CLUSTER_REPOSITORY } from '../core/object.ts';
import type { RestoreRecord } from '../core/restore/journal.ts';
import { changesAnything, type Plan } from '../core/restore/plan.ts';
import { sideBySide } from '../core/streams.ts';
import { EXIT, KeeperError } from '../errors.ts';
import { readHeld } from '../git/held-deletions.ts';
import { isNothingToSave, type OpenRestore, openAsker, openRestore, requireUsed, runRestore } from '../open-restore.ts';
import type { PlannedRestore } from '../restore/work.ts';
import { printLine, printNote, stopSignal } from './output.ts';
import { planWithProgress, printPlan, SIDE_BY_SIDE } from './plan.ts';
import { openProgress } from './progress.ts';
import { expandRepositories } from './repositories.ts';
import { RestoreReport, type Told } from './restore-report.ts';
import { type Resumed, resumedConfig } from './restore-resume.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper restore`: the plan, a word from a person, a safety commit, the plan once more, carried out, read back. */

export const restoreCommand: Verb = {
  name: 'restore',
  summary: 'Bring a namespace, or some of it, back to what it was at a restore point',
  arguments: [['<namespaces...>', 'namespaces (globs of what is archived), or _cluster for cluster-scoped objects']],
  settings: RESTORE_SETTINGS,
  switches: [
    ['--yes', 'carry the plan out without asking'],
    ['--plan <hash>', 'only if the plan is exactly this one (its hash, or the beginning of it)'],
    ['--resume', 'go on with the last restore of the namespace, which was stopped'],
    ['--verbose', 'every step and note, also of long lists'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper restore shop --to good/monday',
    'kubekeeper restore shop --to yesterday --object deployments.apps/web --yes',
    'kubekeeper restore shop --from ./shop.git --to HEAD --into shop-copy',
    "kubekeeper restore _cluster 'shop-*' --to yesterday --data-dir ./clones",
    'kubekeeper restore shop --resume',
  ],
  async run(names, raw) {
    const format = parseOutputFormat(raw);
    const [namespace = ''] = names;
    const resumed = raw['resume'] === true ? await resumedConfig(namespace, raw) : undefined;
    const repositories = await expandRepositories(names, raw);
    const stop = stopSignal();
    const consent = {
      format,
      verbose: raw['verbose'] === true,
      isGiven: raw['yes'] === true,
      hash: typeof raw['plan'] === 'string' ? raw['plan'] : undefined,
      resumed,
      signal: stop.signal,
    };
    try {
      if (repositories.length > 1)
        return await restoreMany(
          repositories.map((name) => parseRestoreConfig(name, raw)),
          consent,
        );
      const config = resumed?.config ?? parseRestoreConfig(repositories[0] ?? '', raw);
      await using opened = await openRestore(config);
      return await restore(config, opened, consent);
    } finally {
      stop.dispose();
    }
  },
};

export interface Consent {
  readonly format: 'text' | 'json';
  readonly verbose: boolean;
  readonly isGiven: boolean;
  readonly hash: string | undefined;
  readonly resumed: Resumed | undefined;
  readonly signal: AbortSignal;
}

/** One restore. */
export async function restore(config: RestoreConfig, opened: OpenRestore, consent: Consent): Promise<number> {
  const { resumed, format, signal } = consent;
  const told = await restoreAll([{ config, opened, record: resumed?.record }], consent);
  signal.throwIfAborted();
  const [only] = told;
  if (format === 'json') printLine(JSON.stringify(only?.document, null, 2));
  return only?.code ?? EXIT.interrupted;
}

/** Several: planned, agreed to and saved together, then side by side. */
async function restoreMany(configs: readonly RestoreConfig[], consent: Consent): Promise<number> {
  const [first] = configs as [RestoreConfig];
  await using open = new AsyncDisposableStack();
  const asker = open.use(await openAsker(first));
  const jobs: Job[] = [];
  for (const config of configs)
    jobs.push({ config, opened: open.use(await openRestore(config, asker)), record: undefined });
  const told = await restoreAll(jobs, consent);
  if (consent.format === 'json')
    printLine(JSON.stringify({ version: 1, restores: told.map(({ document }) => document) }, null, 2));
  return worst(told.map(({ code }) => code));
}

interface Job {
  readonly config: RestoreConfig;
  readonly opened: OpenRestore;
  readonly record: RestoreRecord | undefined;
}

async function restoreAll(jobs: readonly Job[], consent: Consent): Promise<readonly Told[]> {
  const { format, signal } = consent;
  const prefixOf = ({ config }: Job) => (jobs.length === 1 ? '' : `${config.repository}: `);
  const first = await planAll(jobs, consent);
  for (const { opened } of jobs) requireUsed(opened.opener);
  const changing = jobs.filter(
    (job) =>
      changesAnything(planOf(first, job)) || (job.record?.late.length ?? 0) > 0 || job.record?.volumes !== undefined,
  );
  const told = new Map<Job, Told>();
  for (const job of jobs)
    if (!changing.includes(job)) told.set(job, new RestoreReport(format, prefixOf(job)).nothing(planOf(first, job)));
  const inOrder = () => jobs.flatMap((job) => told.get(job) ?? []);
  if (changing.length === 0) return inOrder();
  if (!(await agreed(consent))) return [{ code: EXIT.interrupted, document: {} }];
  const ids = new Map(changing.map((job) => [job, `${timestamp()}-${randomBytes(3).toString('hex')}`]));
  const tags = await makeSafety(changing, { ids, planned: first }, consent);
  // Where nobody was asked and nothing had to be saved, no time has passed.
  const isFresh = consent.isGiven && tags === undefined;
  const again = isFresh ? first : await planAll(changing, { ...consent, format: 'json' });
  const moved = changing.filter((job) => planOf(again, job).hash !== planOf(first, job).hash);
  if (moved.length > 0) {
    printNote('what lives has moved since: this is the plan now');
    for (const job of moved) {
      if (format === 'text') printPlan(planOf(again, job), job.opened, consent);
      requireHash(planOf(again, job), consent.hash);
    }
    if (!(await agreed(consent))) return [{ code: EXIT.interrupted, document: {} }];
  }
  const carry = async (job: Job) => {
    const { config, opened, record } = job;
    const report = new RestoreReport(format, prefixOf(job));
    const safetyTag = tags?.get(job);
    const run = { id: ids.get(job) as string, safetyTag, resumes: record, signal };
    const planned = again.get(job) as PlannedRestore;
    for await (const event of runRestore(config, opened, planned, run)) report.take(event);
    const target = opened.namespace === '' ? CLUSTER_REPOSITORY : opened.namespace;
    told.set(
      job,
      report.end(planned.plan, {
        safetyTag,
        repository: config.repository,
        target,
        dataDirectory: config.dataDirectory,
      }),
    );
  };
  // Definitions and classes that the namespaces need lie there.
  for (const job of changing.filter(({ config }) => config.repository === CLUSTER_REPOSITORY)) await carry(job);
  await sideBySide(
    changing.filter(({ config }) => config.repository !== CLUSTER_REPOSITORY),
    SIDE_BY_SIDE,
    carry,
  );
  return inOrder();
}

function planOf(planned: ReadonlyMap<Job, PlannedRestore>, job: Job): Plan {
  return (planned.get(job) as PlannedRestore).plan;
}

/** Plans and, for text, prints each. */
async function planAll(jobs: readonly Job[], consent: Consent): Promise<ReadonlyMap<Job, PlannedRestore>> {
  const planned = new Map<Job, PlannedRestore>();
  await sideBySide(jobs, SIDE_BY_SIDE, async (job) => {
    planned.set(job, await planWithProgress(job.opened, consent.signal));
  });
  for (const job of jobs) {
    if (consent.format === 'text') {
      if (jobs.length > 1) printLine(`${job.config.repository}:`);
      printPlan(planOf(planned, job), job.opened, consent);
    }
    requireHash(planOf(planned, job), consent.hash);
  }
  return planned;
}

/** Undefined where there was nothing to save. */
async function makeSafety(
  jobs: readonly Job[],
  { ids, planned }: { readonly ids: ReadonlyMap<Job, string>; readonly planned: ReadonlyMap<Job, PlannedRestore> },
  { format, signal }: Consent,
): Promise<ReadonlyMap<Job, string> | undefined> {
  const tags = new Map<Job, string>();
  const { username } = userInfo();
  const wanted = jobs.flatMap((job) => {
    const { point, namespace } = job.opened;
    const known = job.record?.header.safetyTag;
    if (known !== undefined) {
      tags.set(job, known);
      return [];
    }
    const safety = {
      repository: namespace === '' ? CLUSTER_REPOSITORY : namespace,
      name: `pre/restore-${ids.get(job)}`,
      message: `before restoring ${point.repository} at ${point.commit.slice(0, 10)}\n`,
      tagger: { name: username, email: `${username}@${hostname()}` },
      signal,
    };
    return [{ job, point, safety, replaced: replacedIn(planOf(planned, job)) }];
  });
  for (const { job, point, safety, replaced } of wanted.filter((one) => one.replaced.length > 0)) {
    const { makeDataSafetyPoint } = await import('../open-data-safety.ts');
    const progress = openProgress();
    const wish = { ...safety, claims: replaced, onProgress: (words: string) => progress.tell(words) };
    try {
      tags.set(job, (await makeDataSafetyPoint(job.config, point, wish)).tag);
    } finally {
      progress.end();
    }
  }
  const plain = [];
  for (const one of wanted.filter(({ replaced }) => replaced.length === 0)) {
    const { config, opened } = one.job;
    if (!(await isNothingToSave(config, opened.target, one.safety.repository))) plain.push(one);
  }
  const [first] = plain;
  if (first === undefined && tags.size === 0) return undefined;
  if (first !== undefined) {
    // The whole archive flow, which would be half of the start of a restore that needs none.
    const { makeSafetyPoints } = await import('../open-safety.ts');
    const made = await makeSafetyPoints(first.job.config, plain);
    for (const { job, safety } of plain) {
      const done = made.get(safety.repository);
      if (done !== undefined) tags.set(job, done.tag);
    }
  }
  if (format === 'text') for (const [job, tag] of tags) tellSafety(job, tag);
  return tags;
}

function replacedIn({ volumes = [] }: Plan): readonly string[] {
  return volumes.filter(({ action }) => action === 'replace').map(({ claim }) => claim);
}

/** A guard against wrong lists may hold deletions back: then the tag still has what is gone already, and who restores to it must know. */
function tellSafety(job: Job, tag: string): void {
  const repository = job.opened.namespace === '' ? CLUSTER_REPOSITORY : job.opened.namespace;
  printNote(`what lives in ${nameOf(job)} now is kept as ${tag}`);
  const held = readHeld(job.config.dataDirectory, repository);
  if (held !== undefined)
    printNote(
      `${held.paths.length} objects in it are gone already: so many at once are held back until kubekeeper allow-deletions ${repository}`,
    );
}

function nameOf({ opened }: Job): string {
  return opened.namespace === '' ? 'the cluster' : opened.namespace;
}

/** Of several: stopped before partly, partly before different. */
function worst(codes: readonly number[]): number {
  const order: readonly number[] = [EXIT.interrupted, EXIT.partial, EXIT.failed, EXIT.done];
  return order.find((code) => codes.includes(code)) ?? EXIT.done;
}

function requireHash(plan: Plan, hash: string | undefined): void {
  if (hash === undefined || (hash.length >= 8 && plan.hash.startsWith(hash))) return;
  throw new KeeperError(
    `The plan is ${plan.hash.slice(0, 12)} now, not ${hash}: what lives or the restore point differs from then; nothing was changed, look at it with kubekeeper plan`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}

/** Without a terminal nobody can be asked. */
async function agreed({ isGiven, signal }: Consent): Promise<boolean> {
  if (isGiven) return true;
  if (process.stdin.isTTY !== true) {
    throw new KeeperError('Nothing was changed: there is no terminal to ask at, carry the plan out with --yes', {
      kind: 'invalid-input',
      code: 'USAGE_INVALID',
    });
  }
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await ask.question('Carry it out? [y/N] ', { signal });
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    ask.close();
  }
}

/** As in the name of a tag. */
function timestamp(): string {
  return new Date()
    .toISOString()
    .replace(/[-:]|\..*$/g, '')
    .replace('T', '-')
    .toLowerCase();
}
