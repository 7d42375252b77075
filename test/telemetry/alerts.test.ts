import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { METRICS, type Metric } from '../../controller/telemetry/metric-table.ts';
import { temporaryDirectory } from '../flows/keeper.ts';
import { promtool } from './promtool.ts';

/** The alerts of config/alerts, judged and run by the real promtool. */

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

let groups: readonly { readonly rules: readonly Rule[] }[];
let rules: readonly Rule[];
before(async () => {
  const file = parse(await readFile('config/alerts/rules.yaml', 'utf8')) as { spec: { groups: typeof groups } };
  groups = file.spec.groups;
  rules = groups.flatMap((group) => group.rules);
});

/** What one alert needs to fire, as promtool spells it (one value a minute), and when it does. */
interface Case {
  readonly alert: string;
  readonly series: Readonly<Record<string, string>>;
  readonly quiet: string;
  readonly firing: string;
  /** Where it ends by itself. */
  readonly over?: string;
  readonly labels: Readonly<Record<string, string>>;
}

const POD = 'namespace="keeper", job="kubekeeper", pod="a"';
const GROUP = { namespace: 'keeper', job: 'kubekeeper' };
const WHOLE = { ...GROUP, pod: 'a' };

const CASES: readonly Case[] = [
  {
    alert: 'KubekeeperAbsent',
    series: { 'kubekeeper_build_info{version="1"}': '1 _x30' },
    quiet: '14m',
    firing: '20m',
    labels: {},
  },
  {
    alert: 'KubekeeperWithoutLeader',
    series: {
      [`kubekeeper_leader{${POD}}`]: '1x4 0x20',
      'kubekeeper_leader{namespace="keeper", job="kubekeeper", pod="b"}': '0x30',
    },
    quiet: '8m',
    firing: '12m',
    labels: GROUP,
  },
  {
    alert: 'KubekeeperNotSynced',
    series: { [`kubekeeper_leader{${POD}}`]: '1x60', [`kubekeeper_synced{${POD}}`]: '0x60' },
    quiet: '29m',
    firing: '31m',
    labels: WHOLE,
  },
  {
    alert: 'KubekeeperWatchSilent',
    series: { [`kubekeeper_watch_last_sign_timestamp_seconds{${POD}, resource="pods"}`]: '60x60' },
    quiet: '18m',
    firing: '22m',
    labels: { ...WHOLE, resource: 'pods' },
  },
  {
    alert: 'KubekeeperResourcesSkipped',
    series: { [`kubekeeper_skipped_resources{${POD}, code="RESOURCE_FORBIDDEN"}`]: '0x4 2x60' },
    quiet: '30m',
    firing: '36m',
    labels: { ...GROUP, code: 'RESOURCE_FORBIDDEN' },
  },
  {
    alert: 'KubekeeperHeldDeletions',
    series: { [`kubekeeper_held_deletions{${POD}, target_namespace="shop"}`]: '40x20' },
    quiet: '4m',
    firing: '6m',
    labels: { ...WHOLE, target_namespace: 'shop' },
  },
  {
    alert: 'KubekeeperStorageFailing',
    series: { [`kubekeeper_storage_failing_repositories{${POD}}`]: '0x4 1x20' },
    quiet: '6m',
    firing: '8m',
    labels: WHOLE,
  },
  {
    alert: 'KubekeeperDiskFillsUp',
    series: {
      [`kubekeeper_data_directory_free_bytes{${POD}}`]: '50x4 5x30',
      [`kubekeeper_data_directory_size_bytes{${POD}}`]: '100x40',
    },
    quiet: '14m',
    firing: '16m',
    labels: WHOLE,
  },
  {
    alert: 'KubekeeperConsolidationFailing',
    series: { [`kubekeeper_consolidations_total{${POD}, result="failure"}`]: '0+0x9 0+1x60' },
    quiet: '9m',
    firing: '30m',
    labels: { ...WHOLE, result: 'failure' },
  },
  {
    alert: 'KubekeeperQuarantined',
    series: { [`kubekeeper_last_quarantine_timestamp_seconds{${POD}, target_namespace="shop"}`]: '_x5 300x2000' },
    quiet: '4m',
    firing: '23h',
    over: '25h',
    labels: { ...WHOLE, target_namespace: 'shop' },
  },
  {
    alert: 'KubekeeperSnapshotsFailing',
    series: { [`kubekeeper_snapshots_total{${POD}, result="failed"}`]: '0x10 1x200' },
    quiet: '35m',
    firing: '50m',
    over: '120m',
    labels: { ...WHOLE, result: 'failed' },
  },
  {
    alert: 'KubekeeperDataTooOld',
    series: {
      [`kubekeeper_last_commit_timestamp_seconds{${POD}, target_namespace="shop"}`]: '90000x10 100001x60',
      [`kubekeeper_newest_data_timestamp_seconds{${POD}, target_namespace="shop"}`]: '10000x70',
      // Without claims there is nothing that could be too old.
      [`kubekeeper_last_commit_timestamp_seconds{${POD}, target_namespace="office"}`]: '900000x70',
    },
    quiet: '35m',
    firing: '45m',
    labels: { ...WHOLE, target_namespace: 'shop' },
  },
  {
    alert: 'KubekeeperImpossibleClaims',
    series: { [`kubekeeper_impossible_claims{${POD}, target_namespace="shop"}`]: '2x60' },
    quiet: '25m',
    firing: '35m',
    labels: { ...WHOLE, target_namespace: 'shop' },
  },
  {
    alert: 'KubekeeperUnpushed',
    series: { [`kubekeeper_oldest_unpushed_change_age_seconds{${POD}}`]: '0+60x60' },
    quiet: '20m',
    firing: '22m',
    labels: WHOLE,
  },
  {
    alert: 'KubekeeperStalled',
    series: { [`kubekeeper_stalled_repositories{${POD}, reason="RemoteGone"}`]: '0x4 1x20' },
    quiet: '8m',
    firing: '12m',
    labels: { ...GROUP, reason: 'RemoteGone' },
  },
];

test('promtool finds the rules sound, and they ask only for metrics that exist', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'rules.yaml'), stringify({ groups }));
  const judged = await promtool(['check', 'rules', '--lint-fatal', join(directory.path, 'rules.yaml')]);
  assert.equal(judged.code, 0, judged.text);
  const names = new Set(Object.values<Metric>(METRICS).map(({ name }) => name));
  for (const { alert, expr, annotations } of rules) {
    for (const [name] of expr.matchAll(/kubekeeper_\w+/g)) assert.ok(names.has(name), `${alert}: ${name}`);
    assert.ok(annotations['summary'] && annotations['description'], alert);
  }
});

test('every alert fires when it must and not before', async () => {
  assert.deepEqual(CASES.map(({ alert }) => alert).sort(), rules.map(({ alert }) => alert).sort());
  await using directory = await temporaryDirectory();
  const written = groups.map((group) => ({ ...group, rules: group.rules.map(withoutWords) }));
  await writeFile(join(directory.path, 'rules.yaml'), stringify({ groups: written }));
  await writeFile(join(directory.path, 'tests.yaml'), stringify(promtoolTests()));
  const judged = await promtool(['test', 'rules', join(directory.path, 'tests.yaml')]);
  assert.equal(judged.code, 0, judged.text);
});

/** promtool compares every annotation; what is said is not what is tested here. */
function withoutWords({ annotations: _annotations, ...rule }: Rule): Omit<Rule, 'annotations'> {
  return rule;
}

function promtoolTests() {
  const severity = (alert: string) =>
    (rules.find((rule) => rule.alert === alert) as unknown as { labels: { severity: string } }).labels.severity;
  return {
    rule_files: ['rules.yaml'],
    evaluation_interval: '1m',
    tests: CASES.map(({ alert, series, quiet, firing, over, labels }) => ({
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      alert_rule_test: [
        ...[quiet, ...(over === undefined ? [] : [over])].map((time) => ({
          eval_time: time,
          alertname: alert,
          exp_alerts: [],
        })),
        { eval_time: firing, alertname: alert, exp_alerts: [{ exp_labels: { ...labels, severity: severity(alert) } }] },
      ],
    })),
  };
}
