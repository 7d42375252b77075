import { parseOutputFormat } from '../config.ts';
import { parseRestoreConfig, RESTORE_SETTINGS, type RestoreConfig } from '../config-restore.ts';
import { changesAnything, type Plan } from '../core/restore/plan.ts';
import { renderPlan } from '../core/restore/render-plan.ts';
import { sideBySide } from '../core/streams.ts';
import { EXIT } from '../errors.ts';
import { type OpenRestore, openAsker, openRestore, requireUsed } from '../open-restore.ts';
import type { PlannedRestore } from '../restore/work.ts';
import { printLine, printNote, stopSignal } from './output.ts';
import { openProgress } from './progress.ts';
import { expandRepositories } from './repositories.ts';
import { restoreCommandLine } from './restore-hints.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper plan`: what a restore would do, step by step, and why. Nothing is changed. */

export const planCommand: Verb = {
  name: 'plan',
  summary: 'Show what restoring a namespace would do, step by step, without changing anything',
  arguments: [['<namespaces...>', 'namespaces (globs of what is archived), or _cluster for cluster-scoped objects']],
  settings: RESTORE_SETTINGS,
  switches: [
    ['--verbose', 'every step and note, also of long lists'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper plan shop --to good/monday',
    'kubekeeper plan shop --to yesterday --object deployments.apps/web',
    'kubekeeper plan shop --to 1a2b3c4 --prune --existing replace',
    'kubekeeper plan shop --from ./shop.git --to HEAD --into shop-copy',
  ],
  async run(names, raw) {
    const format = parseOutputFormat(raw);
    const configs = (await expandRepositories(names, raw)).map((name) => parseRestoreConfig(name, raw));
    const [first] = configs as [RestoreConfig];
    const stop = stopSignal();
    try {
      await using asker = await openAsker(first);
      const planned: { readonly opened: OpenRestore; readonly plan: Plan }[] = [];
      await using open = new AsyncDisposableStack();
      await sideBySide([...configs.entries()], SIDE_BY_SIDE, async ([index, config]) => {
        const opened = open.use(await openRestore(config, asker));
        planned[index] = { opened, plan: (await planWithProgress(opened, stop.signal)).plan };
      });
      requireUsed(asker.opener);
      const plans = planned.map(({ plan }) => plan);
      if (format === 'json') printLine(JSON.stringify(plans.length === 1 ? plans[0] : { version: 1, plans }, null, 2));
      else printPlans(planned, raw['verbose'] === true);
      if (format === 'text')
        printNote(
          plans.some(changesAnything) ? `carry it out: ${restoreCommandLine(first, names)}` : 'nothing to restore',
        );
      return EXIT.done;
    } finally {
      stop.dispose();
    }
  },
};

/** Most of the time is the server's, and each holds the list that it compares. */
export const SIDE_BY_SIDE = 4;

function printPlans(planned: readonly { readonly opened: OpenRestore; readonly plan: Plan }[], verbose: boolean): void {
  for (const { plan, opened } of planned) {
    if (planned.length > 1) printLine(`${opened.point.repository}:`);
    printPlan(plan, opened, { format: 'text', verbose });
  }
}

export async function planWithProgress(opened: OpenRestore, signal: AbortSignal): Promise<PlannedRestore> {
  const progress = openProgress();
  try {
    return await opened.plan({
      signal,
      onProgress: (done, total) => progress.tell(`looking at ${done} of ${total} objects`),
    });
  } finally {
    progress.end();
  }
}

export function printPlan(
  plan: Plan,
  opened: OpenRestore,
  how: { readonly format: 'text' | 'json'; readonly verbose: boolean },
): void {
  for (const warning of opened.warnings) printNote(`warning: ${warning}`);
  if (opened.point.ignored.length > 0) printNote(`not looked at: ${opened.point.ignored.join(', ')}`);
  if (how.format === 'json') {
    printLine(JSON.stringify(plan, null, 2));
    return;
  }
  const { commit, time, tags } = opened.point;
  const named = tags.length === 0 ? '' : ` (${tags.join(', ')})`;
  printNote(
    `restore point: ${commit.slice(0, 10)}${named} of ${time.toISOString()}, ${opened.point.entries.length} objects`,
  );
  printLine(renderPlan(plan, { verbose: how.verbose }));
  const isNew = plan.steps.some(({ action, ref }) => action === 'create' && ref.resource === 'namespaces');
  if (isNew && plan.target.namespace !== '')
    printNote('what the server says to these objects shows once the namespace is there');
}
