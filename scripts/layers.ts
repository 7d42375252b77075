/** Who may import whom: the one table behind the linter's rule (biome.layers.json) and its test. */

/** Folders of controller/, each with those it may import besides itself and errors.ts. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  api: [],
  core: ['api'],
  cluster: ['core', 'api'],
  git: ['core', 'api'],
  forge: ['core', 'api'],
  secrets: ['core', 'api'],
  archive: ['core', 'api', 'git'],
  restore: ['core', 'api', 'git'],
  history: ['core', 'api', 'git'],
  data: ['core', 'api', 'git'],
  telemetry: ['core', 'api'],
  reconcile: ['core', 'api', 'git', 'archive', 'restore', 'data'],
  cli: ['core', 'api', 'git', 'archive', 'restore', 'history', 'data', 'reconcile', 'telemetry'],
  web: ['core', 'api', 'git', 'archive', 'restore', 'data', 'telemetry'],
};

/** Packages and the only folders that may import them. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['cluster'],
  undici: ['cluster', 'git', 'forge'],
  'isomorphic-git': ['git'],
  '@octokit/rest': ['forge'],
  'age-encryption': ['secrets'],
  pino: ['telemetry'],
  '@prometheus-io/client': ['telemetry'],
  commander: ['cli'],
  'fast-json-patch': ['core'],
  'json-stable-stringify': ['core'],
  '@noble/hashes': ['core'],
  zod: ['api', 'core'],
  yaml: ['core', 'cluster'],
};

/** Folders that reach the world only through ports. */
export const PURE: readonly string[] = ['api', 'core', 'archive', 'restore', 'history', 'data', 'reconcile'];

/** core's own folders that are called as others are. */
const OWN: readonly string[] = ['!./data/**', '!./restore/**', '!./history/**'];

/** Files at the top that only entry points may import. */
export const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  'main.ts': [],
  'compose.ts': ['cli', 'web', 'reconcile'],
  'config.ts': ['cli', 'web', 'reconcile'],
};

/** The linter's overrides: one `noRestrictedImports` per folder. */
export function renderLayers(): string {
  return `${JSON.stringify({ overrides: Object.keys(LAYERS).map(overrideOf) }, null, 2)}\n`;
}

function overrideOf(folder: string) {
  const allowed = LAYERS[folder] ?? [];
  const folders = Object.keys(LAYERS).filter((other) => other !== folder && !allowed.includes(other));
  const packages = Object.entries(PACKAGES).filter(([, owners]) => !owners.includes(folder));
  const entries = Object.entries(ENTRIES).filter(([, importers]) => !importers.includes(folder));
  const patterns = [
    {
      // core/restore is core's, not the flow's of that name; it names core/data by way of core: '../../core/data/record.ts'.
      group: [
        ...folders.map((other) => `**/${other}/**`),
        ...(folder === 'core' || allowed.includes('core') ? ['!**/core/**'] : []),
        ...(allowed.includes('core') ? [] : OWN),
      ],
      message: `controller/${folder} may import only ${[...allowed, 'errors.ts'].join(', ')}: see controller/README.md.`,
    },
    {
      group: entries.map(([file]) => `**/${file}`),
      message: 'Only entry points are composed: see controller/README.md.',
    },
    {
      group: packages.flatMap(([name]) => [name, `${name}/**`]),
      message: 'This package is imported in one folder only: see controller/README.md.',
    },
    ...(PURE.includes(folder)
      ? [{ group: ['node:*', 'node:*/**'], message: `controller/${folder} touches the world only through its ports.` }]
      : []),
  ];
  const rules = { style: { noRestrictedImports: { level: 'error', options: { patterns } } } };
  return { includes: [`controller/${folder}/**`], linter: { rules } };
}
