import type { Outcome } from '../core/outcome.ts';
import type { Meter } from './meter.ts';

/** What an outcome adds to counters; what it changes in a state is repository-states.ts's. */
export function countOutcome(meter: Meter, outcome: Outcome): void {
  switch (outcome.type) {
    case 'catalogue':
      meter.set('watchedResources', {}, outcome.resources);
      meter.set('unavailableGroups', {}, outcome.unavailable);
      meter.set('neverArchivedResources', {}, outcome.never.length);
      break;
    case 'synced':
      meter.set('synced', {}, 1);
      break;
    case 'skipped':
      meter.count('skips', { code: outcome.code });
      break;
    case 'committed':
      meter.count('commits', {});
      meter.count('committedObjects', {}, outcome.objects);
      meter.count('committedBytes', {}, outcome.bytes);
      meter.time('commitDuration', outcome.durationMs / 1000);
      break;
    case 'allowed':
      meter.count('allowedDeletions', {}, outcome.deletions);
      break;
    case 'consolidated':
      meter.count('consolidations', { result: 'success' });
      break;
    case 'consolidation-failed':
      meter.count('consolidations', { result: 'failure' });
      break;
    case 'pushed':
      meter.count('pushes', { result: 'success' });
      meter.count('pushedCommits', {}, outcome.commits);
      meter.count('pushedBytes', {}, outcome.bytes);
      meter.time('pushDuration', outcome.durationMs / 1000);
      break;
    case 'push-failed':
      meter.count('pushes', { result: 'failure' });
      meter.count('pushFailures', { code: outcome.code });
      break;
    case 'remote-created':
      meter.count('remotesCreated', {});
      break;
    case 'adopted':
      meter.count('adoptedCommits', {}, outcome.commits);
      break;
    case 'merged':
      meter.count('mergedProposals', { result: outcome.result });
      break;
    case 'quarantined':
      meter.count('quarantines', { source: outcome.from });
      break;
    case 'new-line':
      meter.count('newLines', {});
      break;
    case 'storage-failed':
      meter.count('storageFailures', {});
      break;
    case 'snapshots-decided':
      meter.count('snapshots', { result: 'ready' }, outcome.ready);
      meter.count('snapshots', { result: 'failed' }, outcome.failed);
      meter.count('dataPoints', { grade: outcome.grade });
      if (outcome.handlesMs !== undefined) meter.time('snapshotHandles', outcome.handlesMs / 1000);
      break;
    case 'snapshots-failed':
      meter.count('snapshotFailures', { doing: outcome.doing });
      break;
    case 'snapshots-removed':
      meter.count('removedSnapshots', { why: outcome.why }, outcome.count);
      break;
    case 'leading':
      meter.set('leader', {}, 1);
      meter.set('leaderEpoch', {}, outcome.epoch);
      break;
    case 'standby':
      meter.set('leader', {}, 0);
      meter.set('synced', {}, 0);
      break;
    case 'listed':
    case 'recovered':
    case 'held':
    case 'unpushed':
    case 'stalled':
    case 'resumed':
    case 'storage-recovered':
    case 'requested':
    case 'hooks-recalled':
    case 'snapshots-asked':
    case 'snapshots-impossible':
      break;
    default:
      outcome satisfies never;
  }
}
