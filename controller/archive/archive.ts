import type { Outcome } from '../core/outcome.ts';
import { Queue } from '../core/streams.ts';
import { type Damage, isDamage } from './damage.ts';
import { openLineAccess } from './lines-open.ts';
import type { ArchiveOptions, ArchiveParts } from './parts.ts';
import { ArchiveRun } from './pipeline.ts';
import { recallSpaces } from './publish-recall.ts';
import { Quarantine } from './quarantine.ts';
import { openSpaces } from './spaces.ts';

/**
 * Archives until the signal (or, with `once`, until all is committed). Throws KeeperError when it cannot begin. When a repository
 * turns out to be damaged, the run ends, that one is replaced, and the next run takes everything again: what was staged for it was
 * compared with what is no more, and for all others a run is only a relist.
 */
export async function* archive(parts: ArchiveParts, options: ArchiveOptions): AsyncGenerator<Outcome> {
  const quarantine = new Quarantine({ ...options, clock: parts.clock });
  const scope = {
    ...options.scope,
    includesRepository: (name: string) => options.scope.includesRepository(name) && quarantine.includes(name),
  };
  for (;;) {
    const damage = yield* archiveUntilDamage(parts, { ...options, scope }, quarantine);
    if (damage === undefined) return;
    parts.tally?.clear();
    const { choice } = await openLineAccess(parts, options, () => {});
    yield* quarantine.replaceMet(damage, choice.adopt);
  }
}

/** One run; answers the damage that ended it. */
async function* archiveUntilDamage(
  parts: ArchiveParts,
  options: ArchiveOptions,
  quarantine: Quarantine,
): AsyncGenerator<Outcome, Damage | undefined> {
  const outcomes = new Queue<Outcome>();
  const report = (outcome: Outcome) => outcomes.push(outcome);
  const access = await openLineAccess(parts, options, report);
  const { choice, remote } = access;
  const { adopt } = choice;
  await using spaces = await openSpaces(options.dataDirectory, {
    clusterId: options.clusterId,
    includes: (name) => options.scope.includesRepository(name),
    report,
    guard: options.guard,
    adopt,
    opened: choice.begin,
    replace: (name, damage) => quarantine.replace(name, damage, { adopt, report }),
    damaged: (error) => outcomes.end({ error }),
    begin: parts.vitals?.works.begin,
  });
  if (remote !== undefined) await recallSpaces(choice, spaces, { ...options, cluster: parts.cluster });
  const sealer = await parts.openSealer();
  const run = new ArchiveRun({ ...parts, ...access, sealer }, options, spaces, outcomes);
  const ended = run.run().then(
    () => outcomes.end(),
    (error) => outcomes.end({ error }),
  );
  try {
    yield* outcomes;
    return undefined;
  } catch (error) {
    if (!isDamage(error) || options.signal.aborted) throw error;
    return error;
  } finally {
    run.stop();
    await ended;
  }
}
