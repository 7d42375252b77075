import { parseDataDirectory, parseOutputFormat, type RawSettings } from '../config.ts';
import { parseRestoreConfig, RESTORE_SETTINGS, type RestoreConfig } from '../config-restore.ts';
import { without } from '../config-shared.ts';
import { EXIT } from '../errors.ts';
import { findCommit, openRestore } from '../open-restore.ts';
import { stopSignal } from './output.ts';
import { planWithProgress, printPlan } from './plan.ts';
import { restore } from './restore.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper undo`: takes one commit back, and leaves what came after it. */

/** What a commit touched is what is planned. */
const NOT_HERE = ['to', 'into', 'prune', 'field', 'kinds', 'selector', 'object', 'delete-protected'];

export const undoCommand: Verb = {
  name: 'undo',
  summary: 'Take one commit back: what it changed, made or deleted, and nothing that came later',
  arguments: [
    ['<commit>', 'its id, as kubekeeper changes or git log show it'],
    ['[object]', 'only this object of it: deployments.apps/web'],
  ],
  settings: [
    { flag: 'namespace', value: 'name', help: 'the repository that the commit is in; looked for when left out' },
    ...without(RESTORE_SETTINGS, ...NOT_HERE),
  ],
  switches: [
    ['--dry-run', 'only show the plan'],
    ['--yes', 'carry the plan out without asking'],
    ['--plan <hash>', 'only if the plan is exactly this one'],
    ['--verbose', 'every step and note'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper undo 1a2b3c4',
    'kubekeeper undo 1a2b3c4 deployments.apps/web --yes',
    'kubekeeper undo 1a2b3c4 --dry-run',
  ],
  async run([commit = '', object], raw) {
    const format = parseOutputFormat(raw);
    const config = await undoConfig(commit, object, raw);
    const verbose = raw['verbose'] === true;
    const stop = stopSignal();
    try {
      await using opened = await openRestore(config);
      if (raw['dryRun'] === true) {
        const { plan } = await planWithProgress(opened, stop.signal);
        printPlan(plan, opened, { format, verbose });
        return EXIT.done;
      }
      const hash = typeof raw['plan'] === 'string' ? raw['plan'] : undefined;
      const consent = { format, verbose, isGiven: raw['yes'] === true, hash, resumed: undefined, signal: stop.signal };
      return await restore(config, opened, consent);
    } finally {
      stop.dispose();
    }
  },
};

async function undoConfig(commit: string, object: string | undefined, raw: RawSettings): Promise<RestoreConfig> {
  const named = typeof raw['namespace'] === 'string' ? raw['namespace'] : undefined;
  const from = typeof raw['from'] === 'string' ? raw['from'] : undefined;
  const found = await findCommit({ dataDirectory: parseDataDirectory(raw), from, repository: named }, commit);
  const config = parseRestoreConfig(found.repository, raw, { to: `${found.id}~1` });
  return {
    ...config,
    selection: { ...config.selection, objects: object === undefined ? [] : [object], undo: found.id },
  };
}
