import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { API_VERSION, clusterArchiveSchema } from '../controller/api/cluster-archive.ts';
import { labelSelectorSchema } from '../controller/api/label-selector.ts';
import { durationSchema, spanSchema } from '../controller/api/time.ts';
import { ARCHIVE_SETTINGS, variableOf } from '../controller/config.ts';
import { renderCondition } from '../controller/core/rule-condition.ts';
import { BUILT_IN_RULES, RULES_VERSION } from '../controller/core/rules/built-in.ts';
import { METRICS, type Metric } from '../controller/telemetry/metric-table.ts';
import { renderLayers } from './layers.ts';

/** `npm run generate`: files that are made from tables in the code. With `--check` it only says which are out of date. */

const FILES: readonly (readonly [path: string, render: () => string])[] = [
  ['biome.layers.json', renderLayers],
  ['docs/rules.md', renderRules],
  ['docs/settings.md', renderSettings],
  ['docs/metrics.md', renderMetrics],
];

const check = process.argv.includes('--check');
for (const [path, render] of FILES) {
  const text = render();
  if (readText(path) === text) continue;
  if (check) {
    process.stderr.write(`error: ${path} is out of date; run "npm run generate"\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    process.stdout.write(`wrote ${path}\n`);
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function renderRules(): string {
  const rows = BUILT_IN_RULES.map((rule) => {
    const verdict = rule.secret === true ? `${rule.verdict}, sealed` : rule.verdict;
    const when = rule.when === undefined ? '' : ` When ${renderCondition(rule.when)}.`;
    const pointer = rule.pointer === '' ? '(object)' : `\`${rule.pointer}\``;
    return [rule.id, rule.resources.join(', '), pointer, verdict, `${rule.reason}.${when}`];
  });
  const head = ['id', 'resources', 'pointer', 'verdict', 'why'];
  return `# The built-in rules, version ${RULES_VERSION}

Made from \`controller/core/rules/\` by \`npm run generate\`. What no rule names is archived as the server has it.

strip: not in the file. restore-only: in the file, dropped or changed only by a restore. hold: in the file, but never the only reason for a
commit. record: not in the file, kept in the commit's trailers. never: the object is not archived. keep: says that something stays, also
where what is around it goes. sealed: the value is replaced by its fingerprint, encrypted or omitted.

A file given with \`--rules\` adds rules and overrides these, by id or by place:

\`\`\`yaml
rules:
  - id: never-leases          # this rule's resources and place, another verdict
    verdict: keep
  - resources: [deployments.apps]
    pointer: /spec/replicas
    verdict: hold
    reason: Our own scaler writes it
\`\`\`

${renderTable(head, rows)}`;
}

function renderSettings(): string {
  const rows = ARCHIVE_SETTINGS.map((setting) => [
    `\`--${setting.flag}${setting.value === undefined ? '' : ` <${setting.value}>`}\``,
    `\`${variableOf(setting.flag)}\``,
    setting.default ?? '',
    setting.choices === undefined ? setting.help : `${setting.help} (${setting.choices.join(', ')})`,
  ]);
  return `# Settings of \`kubekeeper archive\`

Made from \`controller/config.ts\` by \`npm run generate\`. A flag wins over its variable, the variable over the default. Lists are
comma-separated, or the flag is given several times.

${renderTable(['flag', 'variable', 'default', 'meaning'], rows)}
## The file of --config

YAML or JSON: the fields below, or a whole \`ClusterArchive\` (\`apiVersion: ${API_VERSION}\`, \`spec\` with these fields). A field that is left out has the
default of its flag. Paths are relative to the working directory, as with flags. Archive, backup, verify, data, prune, diff, drift, tag and explain read it. [data.md](data.md) explains
\`data\`, [hooks.md](hooks.md) its hooks.

${renderTable(['field', 'type', 'meaning'], fieldsOf(clusterArchiveSchema, ''))}`;
}

/** A row per field, leaf by leaf. */
function fieldsOf(schema: z.core.$ZodType, path: string): readonly (readonly string[])[] {
  const meaning = (one: z.core.$ZodType) => z.globalRegistry.get(one)?.description ?? '';
  const bare = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  const help = meaning(schema) || meaning(bare);
  const row = (type: string) => [`\`${path}\``, type, help];
  if (bare === labelSelectorSchema) return [row('label selector')];
  if (bare instanceof z.ZodObject) {
    const rows = Object.entries(bare.shape).flatMap(([key, field]) =>
      fieldsOf(field, path === '' ? key : `${path}.${key}`),
    );
    return help === '' ? rows : [row('map'), ...rows];
  }
  if (bare instanceof z.ZodArray) {
    return bare.element instanceof z.ZodObject ? fieldsOf(bare.element, `${path}[]`) : [row('list of text')];
  }
  if (bare instanceof z.ZodRecord) return [row('map of text')];
  if (bare instanceof z.ZodEnum) return [row(bare.options.join(', '))];
  if (bare instanceof z.ZodBoolean) return [row('true or false')];
  if (bare instanceof z.ZodNumber) return [row('whole number')];
  return [row(bare === durationSchema ? 'time: 30s, 1h30m' : bare === spanSchema ? 'span: 14d, 1y6m' : 'text')];
}

function renderMetrics(): string {
  const rows = Object.values<Metric>(METRICS).map(({ name, type, labels, help, act }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
    act,
  ]);
  return `# Metrics and probes

Made from \`controller/telemetry/metric-table.ts\` by \`npm run generate\`.

\`kubekeeper archive --listen :8080\` serves, before it does anything else:

| path | answers |
| --- | --- |
| \`/livez\` (and \`/healthz\`) | 200 while the process moves. 503 when a commit or a consolidation has stood still for five minutes: a restart helps. Never depends on the cluster or a remote. |
| \`/readyz\` | 200 once the first lists are complete, or while it waits as a replica that is ready to take over. 503 while a write that failed was not made good, and from the moment it is asked to stop. |
| \`/metrics\` | Prometheus' text format |

The probes say \`ok\`, or a line per check with what is wrong; \`?verbose\` shows the lines always. Only GET and HEAD are answered, without credentials: nothing
secret is told, but names of namespaces are. Bind it to the pod's network and let a NetworkPolicy say who may ask (config/controller has one), or to 127.0.0.1 on
a machine. \`--listen 127.0.0.1:0\` takes a free port and logs it (\`listening\`).

The archived namespace is the label \`target_namespace\` (\`_cluster\` for cluster-scoped objects), since a scrape sets \`namespace\` to the pod's own. Counters begin at 0
with the process. What is skipped, held or left out has a metric too, so that an empty panel is never taken for a healthy one. Alerts: [config/alerts](../config/alerts).

${renderTable(['name', 'type', 'labels', 'meaning', 'what to do'], rows)}`;
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
