import { type Document, isMap, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import {
  API_VERSION,
  CLUSTER_ARCHIVE,
  type ClusterArchiveSpec,
  clusterArchiveSchema,
} from '../../api/cluster-archive.ts';
import { KeeperError } from '../../errors.ts';
import { isJsonObject, type Json } from '../object.ts';
import { issueFaults, yamlWords } from './config-words.ts';
import { type SpecFault, specFaults } from './spec-faults.ts';

/** The file of `--config`: the spec of a ClusterArchive as YAML or JSON, or a whole ClusterArchive. */

const MOST_TOLD = 20;

/**
 * Throws KeeperError CONFIG_INVALID that names every fault with file:line:column, a line each, and what is expected there; never a value,
 * which may be a secret at the wrong place. An empty file is an empty spec.
 */
export function parseConfigFile(text: string, file: string): ClusterArchiveSpec {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = yamlFaults(document);
  if (broken.length > 0) throw refused(broken, file, lines, text);
  const value = unfold(document, () =>
    refused([{ offset: 0, fault: 'its aliases (*name) unfold to too much' }], file, lines, text),
  );
  const { spec, path, faults } = unwrap(value);
  const parsed = clusterArchiveSchema.safeParse(spec ?? {});
  const issues = parsed.success ? specFaults(parsed.data) : issueFaults(parsed.error.issues, spec as Json);
  const all = [...faults, ...issues.map((one) => ({ ...one, path: [...path, ...one.path] }))];
  if (all.length === 0 && parsed.success) return parsed.data;
  const placed = all.map(({ path: at, fault }) => ({ offset: offsetOf(document, at), fault }));
  throw refused(placed, file, lines, text);
}

function unfold(document: Document.Parsed, refusal: () => KeeperError): Json | undefined {
  try {
    return document.toJS() as Json | undefined;
  } catch (cause) {
    if (cause instanceof ReferenceError) throw refusal();
    throw cause;
  }
}

interface Placed {
  readonly offset: number;
  readonly fault: string;
}

function yamlFaults(document: Document.Parsed): readonly Placed[] {
  const faults = [...document.errors, ...document.warnings].map(({ code, pos }) => ({
    offset: pos[0],
    fault: yamlWords(code),
  }));
  if (faults.length > 0) return faults;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return;
      faults.push({ offset: alias.range?.[0] ?? 0, fault: "text that begins with '*' needs quotes" });
    },
  });
  return faults;
}

/** A whole object or only its spec. */
function unwrap(value: Json | undefined): {
  readonly spec: Json | undefined;
  readonly path: readonly string[];
  readonly faults: readonly SpecFault[];
} {
  if (!isJsonObject(value) || !('kind' in value || 'apiVersion' in value)) return { spec: value, path: [], faults: [] };
  const faults: SpecFault[] = [];
  if (value['apiVersion'] !== API_VERSION)
    faults.push({ path: ['apiVersion'], fault: `apiVersion is not ${API_VERSION}` });
  if (value['kind'] !== CLUSTER_ARCHIVE) faults.push({ path: ['kind'], fault: `kind is not ${CLUSTER_ARCHIVE}` });
  for (const key of Object.keys(value)) {
    if (!['apiVersion', 'kind', 'metadata', 'spec', 'status'].includes(key)) {
      faults.push({ path: [key], fault: `key ${JSON.stringify(key)} is not known here; settings belong in spec` });
    }
  }
  return { spec: value['spec'], path: ['spec'], faults };
}

/** Of a key where there is one, else of what is nearest around it. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  if (path.length === 0) return document.contents?.range?.[0] ?? 0;
  const parent = path.slice(0, -1);
  const holder = document.getIn(parent, true);
  if (isMap(holder)) {
    const pair = holder.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1));
    if (isScalar(pair?.key)) return pair.key.range?.[0] ?? 0;
  }
  const node = document.getIn(path, true) as { range?: readonly number[] } | undefined;
  return node?.range?.[0] ?? offsetOf(document, parent);
}

function refused(faults: readonly Placed[], file: string, lines: LineCounter, text: string): KeeperError {
  const sorted = [...faults].sort((left, right) => left.offset - right.offset);
  const told = sorted.slice(0, MOST_TOLD).map(({ offset, fault }) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${fault}`;
  });
  if (sorted.length > MOST_TOLD) told.push(`${file}: and ${sorted.length - MOST_TOLD} more`);
  return new KeeperError(`${[...new Set(told)].join('\n')}; nothing was changed`, {
    kind: 'invalid-input',
    code: 'CONFIG_INVALID',
    details: { faults: sorted.length },
  });
}
