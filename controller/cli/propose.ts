import { parseOutputFormat } from '../config.ts';
import { PROPOSE_SETTINGS, parseProposeConfig } from '../config-propose.ts';
import { changesAnything } from '../core/restore/plan.ts';
import { EXIT } from '../errors.ts';
import { runPropose } from '../open-propose.ts';
import { openRestore } from '../open-restore.ts';
import { printLine, printNote, stopSignal } from './output.ts';
import { planWithProgress, printPlan } from './plan.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper propose`: the plan as a pull request on the namespace's remote repository. Nothing is changed in the cluster. */

export const proposeCommand: Verb = {
  name: 'propose',
  summary: 'Open a pull request that restores a namespace when it is merged',
  arguments: [['<namespace>', 'the namespace, or _cluster for cluster-scoped objects']],
  settings: PROPOSE_SETTINGS,
  switches: [
    ['--verbose', 'every step and note, also of long lists'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper propose shop --to good/monday --remote https://git.example/ops/{cluster}-{namespace}.git',
    'kubekeeper propose shop --to yesterday --object deployments.apps/web --remote-credentials ./token',
  ],
  async run([namespace = ''], raw) {
    const config = parseProposeConfig(namespace, raw);
    const format = parseOutputFormat(raw);
    const stop = stopSignal();
    try {
      await using opened = await openRestore(config);
      const { plan } = await planWithProgress(opened, stop.signal);
      if (format === 'text') printPlan(plan, opened, { format, verbose: raw['verbose'] === true });
      const proposed = changesAnything(plan) ? await runPropose(config, opened.point, plan, stop.signal) : undefined;
      if (format === 'json')
        printLine(JSON.stringify({ version: 1, plan: plan.hash, proposed: proposed ?? null }, null, 2));
      else if (proposed === undefined) printNote('nothing to propose');
      else printLine(`${proposed.isKnown ? 'proposed already' : 'proposed'}: ${proposed.url}`);
      if (format === 'text' && proposed !== undefined)
        printNote('once it is merged: kubekeeper apply-merged applies exactly this plan, and tells it there');
      return EXIT.done;
    } finally {
      stop.dispose();
    }
  },
};
