import type { RepairStep } from '../archive/repair.ts';
import { runRepair, runVerify } from '../compose.ts';
import { ARCHIVE_SETTINGS, type ArchiveConfig, type OutputFormat, parseOutputFormat } from '../config.ts';
import { readArchiveConfig } from '../config-file.ts';
import { without } from '../config-shared.ts';
import { EXIT, KeeperError } from '../errors.ts';
import { printNote, stopSignal } from './output.ts';
import { openProgress } from './progress.ts';
import type { Verb } from './verb.ts';
import { printVerification } from './verify-report.ts';

/** `kubekeeper verify`: looks, also beside a running archiver; with `--repair` it also mends, and then looks. */

/** What only a running archiver needs. */
const NOT_HERE = [
  ...['listen', 'leader-elect', 'lease', 'log-level'],
  ...['apply-merged', 'apply-as', 'apply-identity', 'apply-every', 'require-approval'],
];

export const verifyCommand: Verb = {
  name: 'verify',
  summary: 'Check that repositories are sound, equal the live state, and that their remotes are where we left them',
  arguments: [['[namespaces...]', 'only these repositories (globs; _cluster is the cluster-scoped objects)']],
  settings: without(ARCHIVE_SETTINGS, ...NOT_HERE),
  switches: [
    ['--offline', 'leave the cluster out: only the repositories and their remotes'],
    ['--repair', 'set damaged repositories aside and make them anew; let remotes that are gone be filled again'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper verify',
    'kubekeeper verify shop office --data-dir /var/lib/kubekeeper',
    'kubekeeper verify --offline -o json',
    'kubectl exec -n kubekeeper-system deploy/kubekeeper -- kubekeeper verify',
    'kubekeeper verify --repair',
  ],
  async run(namespaces, raw) {
    const config = narrow(await readArchiveConfig(raw), namespaces);
    const format = parseOutputFormat(raw);
    const isOffline = raw['offline'] === true;
    const stop = stopSignal();
    try {
      const steps = raw['repair'] === true ? await repair(config, isOffline, stop.signal) : [];
      return await look(config, { format, isOffline, steps, namespaces, signal: stop.signal });
    } finally {
      stop.dispose();
    }
  },
};

function narrow(config: ArchiveConfig, namespaces: readonly string[]): ArchiveConfig {
  return namespaces.length === 0 ? config : { ...config, scope: { ...config.scope, namespaces } };
}

/** Each step is said as it is done. */
async function repair(config: ArchiveConfig, isOffline: boolean, signal: AbortSignal): Promise<readonly RepairStep[]> {
  const steps: RepairStep[] = [];
  for await (const step of runRepair(config, { isOffline, signal, onProgress: () => {} })) {
    steps.push(step);
    printNote(describeStep(step));
  }
  if (steps.length === 0) printNote('nothing to repair');
  return steps;
}

function describeStep(step: RepairStep): string {
  switch (step.type) {
    case 'quarantined': {
      const { repository, reason, movedTo, savedCommits, from } = step;
      const source = from === 'remote' ? ', with what its remote had' : '';
      return `${repository}: ${reason}; kept as ${movedTo}, made anew with ${savedCommits} ${savedCommits === 1 ? 'commit' : 'commits'}${source}; the next archive takes the live state again`;
    }
    case 'reseeded':
      return `${step.repository}: ${step.url} was gone; the next archive fills it anew`;
    case 'skipped':
      return `${step.namespace}: not repaired: ${step.reason}`;
    default:
      return step satisfies never;
  }
}

interface LookOptions {
  readonly format: OutputFormat;
  readonly isOffline: boolean;
  readonly steps: readonly RepairStep[];
  readonly namespaces: readonly string[];
  readonly signal: AbortSignal;
}

async function look(config: ArchiveConfig, options: LookOptions): Promise<number> {
  const { isOffline, signal } = options;
  const progress = openProgress();
  const onProgress = (what: string, objects: number) => progress.tell(`looking at ${what}: ${objects} objects`);
  try {
    const seen = await runVerify(config, { isOffline, signal, onProgress });
    progress.end();
    for (const name of options.namespaces) refuseUnknown(name, seen.repositories, config.dataDirectory);
    return printVerification({ ...options, seen, dataDirectory: config.dataDirectory });
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    progress.end();
  }
}

/** A slip of the finger must not look like a sound repository. */
function refuseUnknown(name: string, known: readonly { readonly repository: string }[], directory: string): void {
  if (/[*?]/.test(name) || known.some(({ repository }) => repository === name)) return;
  throw new KeeperError(
    `There is no repository "${name}" in "${directory}" and nothing to archive for it; check the name`,
    {
      kind: 'invalid-input',
      code: 'USAGE_INVALID',
    },
  );
}
