import { openCluster, openConnection } from '../compose.ts';
import {
  CONFIG_SETTING,
  CONNECTION_SETTINGS,
  type OutputFormat,
  parseConnectionConfig,
  parseOutputFormat,
  parseRulesConfig,
  type RawSettings,
  RULE_SETTINGS,
} from '../config.ts';
import { readSettings } from '../config-file.ts';
import { nearestFirst } from '../core/nearest.ts';
import { type Resource, resourceName } from '../core/object.ts';
import type { Catalogue, Cluster } from '../core/ports.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import { explainObject, explainRules, type MatchRow, type RuleRow } from '../core/sanitise-explain.ts';
import { compileScope } from '../core/scope.ts';
import { EXIT, KeeperError } from '../errors.ts';
import { readRules } from '../rules-file.ts';
import { printLine, renderTable } from './output.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper explain RESOURCE`: the rules of a resource; `RESOURCE/NAME`: what they do to that live object. */

export const explainCommand: Verb = {
  name: 'explain',
  summary: 'Show which fields of a resource or an object are left out, held or sealed, and why',
  arguments: [['<resource[/name]>', 'deployments.apps, or deployments.apps/web for what happens to that object']],
  settings: [...CONNECTION_SETTINGS, CONFIG_SETTING, ...RULE_SETTINGS],
  switches: [
    ['-n, --namespace <name>', 'namespace of the object'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper explain services',
    'kubekeeper explain services/web -n shop',
    'kubekeeper explain routes.route.openshift.io -o json',
  ],
  async run([target = ''], given) {
    const { raw } = await readSettings(given);
    const format = parseOutputFormat(raw);
    const { rulesFile, includeOwned } = parseRulesConfig(raw);
    const rules = await readRules(rulesFile);
    const slash = target.indexOf('/');
    if (slash === -1) return explainResource(await spelledInFull(target, raw), rules, format);
    const place = { spelling: target.slice(0, slash), name: target.slice(slash + 1) };
    return explainLive(place, rules, { format, includeOwned, raw });
  },
};

/** Without a cluster the spelling stands as it is: the rules are the same everywhere. */
async function spelledInFull(spelling: string, raw: RawSettings): Promise<string> {
  if (spelling.includes('.')) return spelling;
  try {
    await using connection = await openConnection(parseConnectionConfig(raw));
    const catalogue = await openCluster(connection).discover({ pinned: new Map() });
    return resourceName(findResource(catalogue, spelling));
  } catch (error) {
    if (error instanceof KeeperError && error.code !== 'RESOURCE_NOT_SERVED') return spelling;
    throw error;
  }
}

function explainResource(resource: string, rules: RuleSet, format: OutputFormat): number {
  const rows = explainRules(resource, rules);
  if (format === 'json') {
    printLine(JSON.stringify({ version: 1, resource, rules: rows }, null, 2));
    return EXIT.done;
  }
  printLine(`rules for ${resource} (version ${rules.version}); what no rule names is kept as it is`);
  printLine();
  printLine(renderTable([['POINTER', 'VERDICT', 'REASON'], ...rows.map(cellsOf)]));
  return EXIT.done;
}

function cellsOf(row: RuleRow): readonly string[] {
  const verdict = row.secret ? `${row.verdict}, sealed` : row.verdict;
  const when = row.when === undefined ? '' : ` (when ${row.when})`;
  return [row.pointer === '' ? '(object)' : row.pointer, verdict, `${row.reason}${when} [${row.id}]`];
}

async function explainLive(
  place: { readonly spelling: string; readonly name: string },
  rules: RuleSet,
  options: { readonly format: OutputFormat; readonly includeOwned: boolean; readonly raw: RawSettings },
): Promise<number> {
  await using connection = await openConnection(parseConnectionConfig(options.raw));
  const cluster = openCluster(connection);
  const resource = findResource(await cluster.discover({ pinned: new Map() }), place.spelling);
  const object = await readObject(cluster, resource, place.name, options.raw);
  const { leftOut, matches, patch } = explainObject(object, resourceName(resource), rules, options);
  if (options.format === 'json') {
    printLine(
      JSON.stringify(
        { version: 1, resource: resourceName(resource), name: place.name, leftOut, matches, patch },
        null,
        2,
      ),
    );
    return EXIT.done;
  }
  printLine(leftOut === undefined ? 'archived' : `not archived: ${leftOut.reason} [${leftOut.rule}]`);
  printLine();
  const decided = matches.filter((match) => match.decides);
  printLine(renderTable([['POINTER', 'VERDICT', 'VALUE', 'REASON'], ...decided.map(matchCells)]));
  return EXIT.done;
}

function matchCells(match: MatchRow): readonly string[] {
  const [, verdict = '', reason = ''] = cellsOf(match);
  return [match.at === '' ? '(object)' : match.at, verdict, match.value ?? '', reason];
}

async function readObject(cluster: Cluster, resource: Resource, name: string, raw: RawSettings) {
  const asked = typeof raw['namespace'] === 'string' ? raw['namespace'] : 'default';
  const namespace = resource.namespaced ? { namespace: asked } : {};
  const object = await cluster.get(resource, { name, ...namespace });
  if (object !== undefined) return object;
  const where = resource.namespaced ? ` in namespace ${asked}` : '';
  throw usage(`there is no ${resourceName(resource)}/${name}${where}; check the name and -n`);
}

function findResource(catalogue: Catalogue, spelling: string): Resource {
  const everything = { namespaces: [], excludeNamespaces: [], excludeResources: [] };
  const scope = compileScope({ ...everything, resources: [spelling] });
  const found = catalogue.resources.find((resource) => scope.includesResource(resource));
  if (found !== undefined) return found;
  const [nearest] = nearestFirst(catalogue.resources.map(resourceName), spelling);
  throw new KeeperError(`Cannot explain "${spelling}": the cluster does not serve it; the nearest is "${nearest}"`, {
    kind: 'invalid-input',
    code: 'RESOURCE_NOT_SERVED',
  });
}

function usage(message: string): KeeperError {
  return new KeeperError(`Cannot explain: ${message}`, { kind: 'invalid-input', code: 'USAGE_INVALID' });
}
