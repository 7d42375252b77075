import { parseOutputFormat } from '../config.ts';
import { APPLY_MERGED_SETTINGS, parseApplyMergedConfig } from '../config-propose.ts';
import { EXIT } from '../errors.ts';
import { openMerging } from '../open-apply-merged.ts';
import type { MergedOutcome } from '../restore/merged.ts';
import { printLine, printNote, stopSignal } from './output.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper apply-merged`: what was proposed and merged is applied, each once, and told on the pull request. */

export const applyMergedCommand: Verb = {
  name: 'apply-merged',
  summary: 'Apply the restores whose pull requests were merged, each once, and tell it there',
  arguments: [['[namespaces...]', 'only these; all that are archived here when left out']],
  settings: APPLY_MERGED_SETTINGS,
  switches: [
    ['--require-approval', 'refuse what was merged without an approval'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper apply-merged --remote https://git.example/ops/{cluster}-{namespace}.git --remote-credentials ./token',
    'kubekeeper apply-merged shop --require-approval',
  ],
  async run(repositories, raw) {
    const config = parseApplyMergedConfig(raw);
    const format = parseOutputFormat(raw);
    const stop = stopSignal();
    const outcomes: MergedOutcome[] = [];
    try {
      const how = { needsApproval: raw['requireApproval'] === true, signal: stop.signal };
      await using merging = await openMerging(config, how);
      const names = repositories.length === 0 ? await merging.repositories() : repositories;
      for await (const outcome of merging.apply(names)) {
        outcomes.push(outcome);
        if (format === 'text') printLine(`${outcome.result}  ${outcome.url ?? outcome.repository}  ${outcome.words}`);
      }
    } finally {
      stop.dispose();
    }
    if (format === 'json') printLine(JSON.stringify({ version: 1, outcomes }, null, 2));
    else if (outcomes.length === 0) printNote('nothing was merged that is not applied');
    return outcomes.every(({ result }) => result === 'applied') ? EXIT.done : EXIT.partial;
  },
};
