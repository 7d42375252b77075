import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../controller/core/outcome.ts';
import { KeeperError } from '../../controller/errors.ts';
import { METRICS, type Metric } from '../../controller/telemetry/metric-table.ts';
import { committed, metricsWith, offering, pushed, pushFailed } from './scraped.ts';

const pods = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true, verbs: ['list', 'watch'] };
const deployments = { ...pods, group: 'apps', plural: 'deployments', kind: 'Deployment' };

test('every metric has a name by the rules, help, advice, and never the label that a scrape overwrites', () => {
  const names = new Set<string>();
  for (const { name, type, labels, help, act } of Object.values<Metric>(METRICS)) {
    assert.match(name, /^(kubekeeper|process|nodejs)_[a-z]+(_[a-z]+)*$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.ok(!labels.includes('namespace'), name);
    assert.match(help, /\.$/, name);
    assert.match(act, /\.$/, name);
    assert.ok(!names.has(name), name);
    names.add(name);
  }
});

test('every metric of the table is told from the first scrape on, and no other', async () => {
  const { metrics } = metricsWith();
  const told = [...(await metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
  const table = Object.values<Metric>(METRICS).map(({ name, type }) => [name, type]);
  assert.deepEqual(told.sort(), table.sort());
});

test('states that nobody has yet seen are told as 0, so that an empty panel is never taken for a healthy one', async () => {
  const { scrape } = metricsWith();
  const series = await scrape();
  for (const name of [
    'kubekeeper_commits_total',
    'kubekeeper_synced',
    'kubekeeper_oldest_unpushed_change_age_seconds',
    'kubekeeper_storage_failing_repositories',
    'kubekeeper_skipped_resources{code="RESOURCE_FORBIDDEN"}',
    'kubekeeper_stalled_repositories{reason="RemoteDiverged"}',
    'kubekeeper_pushes_total{result="failure"}',
    'kubekeeper_consolidations_total{result="failure"}',
    'kubekeeper_snapshots_total{result="failed"}',
    'kubekeeper_snapshot_handles_duration_seconds_count',
    'kubekeeper_commit_duration_seconds_count',
  ]) {
    assert.equal(series.get(name), 0, name);
  }
});

test('commits, pushes and failures are counted and timed', async () => {
  const { metrics, scrape } = metricsWith();
  const outcomes: Outcome[] = [
    committed('shop', 'a'),
    committed('shop', 'b'),
    pushed('shop', 'b'),
    pushFailed('office'),
    { type: 'consolidated', repository: 'shop', packs: 1, bytes: 5 },
    { type: 'consolidation-failed', repository: 'shop', reason: 'no space' },
  ];
  for (const outcome of outcomes) metrics.observe(outcome);
  metrics.retry(new KeeperError('busy', { kind: 'transient', code: 'CLUSTER_BUSY' }));
  const series = await scrape();
  assert.equal(series.get('kubekeeper_commits_total'), 2);
  assert.equal(series.get('kubekeeper_committed_objects_total'), 4);
  assert.equal(series.get('kubekeeper_committed_bytes_total'), 600);
  assert.equal(series.get('kubekeeper_commit_duration_seconds_sum'), 0.04);
  assert.equal(series.get('kubekeeper_commit_duration_seconds_bucket{le="0.025"}'), 2);
  assert.equal(series.get('kubekeeper_commit_duration_seconds_bucket{le="0.01"}'), 0);
  assert.equal(series.get('kubekeeper_pushes_total{result="success"}'), 1);
  assert.equal(series.get('kubekeeper_pushes_total{result="failure"}'), 1);
  assert.equal(series.get('kubekeeper_push_failures_total{code="REMOTE_UNREACHABLE"}'), 1);
  assert.equal(series.get('kubekeeper_consolidations_total{result="success"}'), 1);
  assert.equal(series.get('kubekeeper_consolidations_total{result="failure"}'), 1);
  assert.equal(series.get('kubekeeper_retries_total{code="CLUSTER_BUSY"}'), 1);
  assert.equal(series.get('kubekeeper_last_commit_timestamp_seconds{target_namespace="shop"}'), 1_700_000_000);
});

test('snapshots are counted by result and grade, and the newest data of a namespace is whole data', async () => {
  const { metrics, scrape } = metricsWith();
  const decided = {
    type: 'snapshots-decided',
    repository: 'shop',
    commit: 'a',
    grade: 'crash-consistent',
    words: '',
    ready: 2,
    failed: 0,
    impossible: 0,
    durationMs: 4000,
    handlesMs: 1500,
  } as const;
  metrics.observe(decided);
  const failed = { ...decided, grade: 'partial', ready: 1, failed: 1, durationMs: 0 } as const;
  metrics.observe(failed);
  metrics.observe({ ...failed, repository: 'office' });
  metrics.observe({ type: 'snapshots-removed', repository: 'shop', why: 'pruned', count: 3, snapshots: '' });
  const failure = { type: 'snapshots-failed', repository: 'shop', code: 'RESOURCE_FORBIDDEN' } as const;
  metrics.observe({ ...failure, doing: 'ask', reason: '', afterMs: 0 });
  metrics.observe({ type: 'snapshots-impossible', repository: 'shop', claims: 2, reasons: '' });
  const series = await scrape();
  assert.equal(series.get('kubekeeper_snapshots_total{result="ready"}'), 4);
  assert.equal(series.get('kubekeeper_snapshots_total{result="failed"}'), 2);
  assert.equal(series.get('kubekeeper_data_points_total{grade="crash-consistent"}'), 1);
  assert.equal(series.get('kubekeeper_data_points_total{grade="partial"}'), 2);
  assert.equal(series.get('kubekeeper_snapshot_handles_duration_seconds_sum'), 4.5);
  assert.equal(series.get('kubekeeper_newest_data_timestamp_seconds{target_namespace="shop"}'), 1_699_999_996);
  assert.equal(series.get('kubekeeper_newest_data_timestamp_seconds{target_namespace="office"}'), undefined);
  assert.equal(series.get('kubekeeper_removed_snapshots_total{why="pruned"}'), 3);
  assert.equal(series.get('kubekeeper_snapshot_failures_total{doing="ask"}'), 1);
  assert.equal(series.get('kubekeeper_impossible_claims{target_namespace="shop"}'), 2);
  metrics.observe({ type: 'snapshots-impossible', repository: 'shop', claims: 0, reasons: '' });
  assert.equal((await scrape()).get('kubekeeper_impossible_claims{target_namespace="shop"}'), undefined);
});

test('held deletions, stalled repositories and failing storage are told until they are over', async () => {
  const { metrics, scrape, vitals } = metricsWith();
  const held = [{ repository: 'shop', deletions: 40 }];
  vitals.offer(offering({ held: () => held }));
  metrics.observe({ type: 'stalled', repository: 'shop', reason: 'RemoteGone', message: 'a' });
  metrics.observe({ type: 'storage-failed', repository: 'shop', reason: 'no space', afterMs: 1 });
  const during = await scrape();
  assert.equal(during.get('kubekeeper_held_deletions{target_namespace="shop"}'), 40);
  assert.equal(during.get('kubekeeper_stalled_repositories{reason="RemoteGone"}'), 1);
  assert.equal(during.get('kubekeeper_storage_failing_repositories'), 1);
  held.length = 0;
  metrics.observe({ type: 'allowed', repository: 'shop', deletions: 40 });
  metrics.observe({ type: 'resumed', repository: 'shop', reason: 'RemoteGone' });
  metrics.observe({ type: 'storage-recovered', repository: 'shop' });
  const after = await scrape();
  assert.equal(after.get('kubekeeper_held_deletions{target_namespace="shop"}'), undefined);
  assert.equal(after.get('kubekeeper_stalled_repositories{reason="RemoteGone"}'), 0);
  assert.equal(after.get('kubekeeper_storage_failing_repositories'), 0);
  assert.equal(after.get('kubekeeper_allowed_deletions_total'), 40);
});

test('a leader tells its epoch, a replica that waits tells 0, and who is not elected always leads', async () => {
  const alone = await metricsWith().scrape();
  assert.equal(alone.get('kubekeeper_leader'), 1);
  const { metrics, scrape } = metricsWith({ isElected: true });
  assert.equal((await scrape()).get('kubekeeper_leader'), 0);
  metrics.observe({ type: 'leading', identity: 'one', epoch: 7 });
  const leading = await scrape();
  assert.deepEqual([leading.get('kubekeeper_leader'), leading.get('kubekeeper_leader_epoch')], [1, 7]);
  metrics.observe({ type: 'standby', leader: 'two' });
  assert.equal((await scrape()).get('kubekeeper_leader'), 0);
});

test('what cannot be read now is told by its reason, and gone when it is read again', async () => {
  const { metrics, scrape, vitals } = metricsWith();
  const gaps = [
    { resource: 'secrets', code: 'RESOURCE_FORBIDDEN' },
    { resource: '*.example.com', code: 'RESOURCE_UNAVAILABLE' },
    { resource: 'pods', namespace: 'shop', code: 'RESOURCE_FORBIDDEN' },
  ];
  vitals.offer(offering({ gaps: () => gaps, repositories: () => 3, openWindows: () => 2 }));
  for (const gap of gaps) metrics.observe({ type: 'skipped', reason: 'a', ...gap });
  const series = await scrape();
  assert.equal(series.get('kubekeeper_skipped_resources{code="RESOURCE_FORBIDDEN"}'), 2);
  assert.equal(series.get('kubekeeper_skipped_resources{code="RESOURCE_UNAVAILABLE"}'), 1);
  assert.equal(series.get('kubekeeper_skips_total{code="RESOURCE_FORBIDDEN"}'), 2);
  assert.equal(series.get('kubekeeper_repositories'), 3);
  assert.equal(series.get('kubekeeper_open_windows'), 2);
  gaps.length = 0;
  const later = await scrape();
  assert.equal(later.get('kubekeeper_skipped_resources{code="RESOURCE_FORBIDDEN"}'), 0);
  assert.equal(later.get('kubekeeper_skips_total{code="RESOURCE_FORBIDDEN"}'), 2);
});

test('the last sign of a resource is the one of its longest silent watch, and goes with the watch', async () => {
  const { metrics, scrape, time } = metricsWith();
  const name = 'kubekeeper_watch_last_sign_timestamp_seconds{resource="deployments.apps"}';
  metrics.sign(deployments, 'shop', { type: 'listing', cause: 'first' });
  metrics.sign(deployments, 'shop', { type: 'alive' });
  time.wallMs += 60_000;
  metrics.sign(deployments, 'office', { type: 'alive' });
  metrics.sign(pods, undefined, { type: 'alive' });
  const series = await scrape();
  assert.equal(series.get(name), 1_700_000_000);
  assert.equal(series.get('kubekeeper_watch_last_sign_timestamp_seconds{resource="pods"}'), 1_700_000_060);
  assert.equal(series.get('kubekeeper_lists_total{cause="first"}'), 1);
  metrics.sign(deployments, 'shop', { type: 'ended' });
  assert.equal((await scrape()).get(name), 1_700_000_060);
  metrics.sign(deployments, 'office', { type: 'ended' });
  assert.equal((await scrape()).get(name), undefined);
});

test('the objects of the last list are summed over namespaces, and forgotten with the watch', async () => {
  const { metrics, scrape } = metricsWith();
  const name = 'kubekeeper_listed_objects{resource="deployments.apps"}';
  for (const namespace of ['shop', 'office']) {
    metrics.observe({ type: 'listed', resource: 'deployments.apps', namespace, objects: 3 });
  }
  metrics.observe({ type: 'listed', resource: 'deployments.apps', namespace: 'shop', objects: 4 });
  assert.equal((await scrape()).get(name), 7);
  metrics.sign(deployments, 'shop', { type: 'ended' });
  assert.equal((await scrape()).get(name), 3);
  metrics.sign(deployments, 'office', { type: 'ended' });
  assert.equal((await scrape()).get(name), undefined);
});

test('the counts of the report are told per resource, and grow only', async () => {
  const row = { resource: 'pods', objects: 5, changed: 2, held: 1, leftOut: new Map([['it is owned', 3]]) };
  const { scrape } = metricsWith({ tally: { all: () => [row] } });
  const series = await scrape();
  assert.equal(series.get('kubekeeper_objects_read_total{resource="pods"}'), 5);
  assert.equal(series.get('kubekeeper_changes_total{resource="pods"}'), 2);
  assert.equal(series.get('kubekeeper_held_changes_total{resource="pods"}'), 1);
  assert.equal(series.get('kubekeeper_left_out_objects_total{resource="pods",reason="it is owned"}'), 3);
  row.objects = 6;
  assert.equal((await scrape()).get('kubekeeper_objects_read_total{resource="pods"}'), 6);
});

test('the age of what no remote has is told overall and for the oldest repositories, and is 0 when all is pushed', async () => {
  const { scrape, vitals } = metricsWith();
  const unpushed = [
    { repository: 'shop', ageMs: 90_000 },
    { repository: 'office', ageMs: 120_000 },
  ];
  vitals.offer(offering({ unpushed: () => unpushed }));
  const during = await scrape();
  assert.equal(during.get('kubekeeper_unpushed_repositories'), 2);
  assert.equal(during.get('kubekeeper_oldest_unpushed_change_age_seconds'), 120);
  assert.equal(during.get('kubekeeper_unpushed_change_age_seconds{target_namespace="shop"}'), 90);
  unpushed.length = 0;
  const after = await scrape();
  assert.equal(after.get('kubekeeper_unpushed_repositories'), 0);
  assert.equal(after.get('kubekeeper_oldest_unpushed_change_age_seconds'), 0);
  assert.equal(after.get('kubekeeper_unpushed_change_age_seconds{target_namespace="shop"}'), undefined);
});

test('a flow that has ended, as on a replica that lost the lead, offers nothing any more', async () => {
  const { scrape, vitals } = metricsWith();
  const unpushed = () => [{ repository: 'shop', ageMs: 90_000 }];
  const one = vitals.offer(offering({ unpushed, repositories: () => 1 }));
  assert.equal((await scrape()).get('kubekeeper_unpushed_repositories'), 1);
  const two = vitals.offer(offering({ unpushed, repositories: () => 2 }));
  one[Symbol.dispose]();
  assert.equal((await scrape()).get('kubekeeper_repositories'), 2);
  two[Symbol.dispose]();
  const series = await scrape();
  assert.equal(series.get('kubekeeper_unpushed_repositories'), 0);
  assert.equal(series.get('kubekeeper_repositories'), 0);
});

test('however many repositories there are, the number of series is bounded', async () => {
  const { metrics, scrape, vitals } = metricsWith();
  const names = Array.from({ length: 2000 }, (_, index) => `namespace-${index}`);
  for (const name of names) metrics.observe(committed(name, 'a'));
  const unpushed = () => names.map((repository, index) => ({ repository, ageMs: (2000 - index) * 1000 }));
  vitals.offer(offering({ unpushed }));
  const series = [...(await scrape()).keys()];
  assert.equal(series.filter((name) => name.startsWith('kubekeeper_last_commit_')).length, 500);
  assert.ok(series.includes('kubekeeper_last_commit_timestamp_seconds{target_namespace="namespace-1999"}'));
  const told = series.filter((name) => name.startsWith('kubekeeper_unpushed_change_age_seconds{'));
  assert.equal(told.length, 20);
  assert.ok(told.includes('kubekeeper_unpushed_change_age_seconds{target_namespace="namespace-0"}'));
  assert.ok(series.length < 700, `${series.length} series`);
});

test('text from the cluster cannot forge a series', async () => {
  const leftOut = new Map([['a"} 1\nkubekeeper_leader 0\\', 1]]);
  const { metrics } = metricsWith({
    tally: { all: () => [{ resource: 'pods', objects: 0, changed: 0, held: 0, leftOut }] },
  });
  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('kubekeeper_leader '));
  assert.deepEqual(lines, ['kubekeeper_leader 1']);
});
