import { compileGlob } from './glob.ts';

/**
 * All pointers of a resource's rules as one automaton: an object is walked once, key by key, and each place knows at once which
 * rules end there. States are made when they are first reached and kept.
 */
export interface State<Rule> {
  /** What ends here, in the order of precedence. */
  readonly rules: readonly Rule[];
  /** Does any pointer go on below? */
  readonly leads: boolean;
  readonly known: Map<string, State<Rule> | undefined>;
  /** Pointers that go on with `*`, whatever the key; undefined when none does. */
  readonly other: () => State<Rule> | undefined;
  /** Globs of keys must be tried for a key that is not known. */
  readonly globs: boolean;
  readonly find: (key: string) => State<Rule> | undefined;
}

interface Node<Rule> {
  readonly exact: Map<string, Node<Rule>>;
  readonly globs: Map<string, { readonly test: (key: string) => boolean; readonly node: Node<Rule> }>;
  any: Node<Rule> | undefined;
  readonly rules: Rule[];
}

/** Keys of foreign maps have no end; beyond this many, globs are tried again each time. */
const KEPT_KEYS = 4096;

/** The automaton of `rules`; `compare` puts the rules that end at one place into their order. */
export function buildStates<Rule extends { readonly segments: readonly string[] }>(
  rules: readonly Rule[],
  compare: (left: Rule, right: Rule) => number,
): State<Rule> {
  const root = makeNode<Rule>();
  for (const rule of rules) {
    let node = root;
    for (const segment of rule.segments) node = enter(node, segment);
    node.rules.push(rule);
  }
  return makeState([root], compare);
}

/** The state that a key of an object leads to. */
export function step<Rule>(state: State<Rule>, key: string): State<Rule> | undefined {
  if (!state.leads) return undefined;
  const known = state.known.get(key);
  if (known !== undefined) return known;
  if (!state.globs) return state.other();
  return state.known.has(key) ? undefined : state.find(key);
}

function makeNode<Rule>(): Node<Rule> {
  return { exact: new Map(), globs: new Map(), any: undefined, rules: [] };
}

function enter<Rule>(node: Node<Rule>, segment: string): Node<Rule> {
  if (segment === '*') {
    node.any ??= makeNode();
    return node.any;
  }
  if (/[*?]/.test(segment)) {
    const glob = node.globs.get(segment) ?? { test: compileGlob(segment), node: makeNode<Rule>() };
    node.globs.set(segment, glob);
    return glob.node;
  }
  const next = node.exact.get(segment) ?? makeNode<Rule>();
  node.exact.set(segment, next);
  return next;
}

function makeState<Rule>(nodes: readonly Node<Rule>[], compare: (left: Rule, right: Rule) => number): State<Rule> {
  const known = new Map<string, State<Rule> | undefined>();
  const wild = nodes.map((node) => node.any).filter((node) => node !== undefined);
  let other: State<Rule> | undefined;
  const after = (key: string) => {
    const next = nodes.flatMap((node) => nodesAfter(node, key));
    return next.length === 0 ? undefined : makeState(next, compare);
  };
  for (const node of nodes) for (const key of node.exact.keys()) known.set(key, undefined);
  for (const key of known.keys()) known.set(key, after(key));
  return {
    rules: nodes.flatMap((node) => node.rules).sort(compare),
    leads: nodes.some((node) => node.exact.size > 0 || node.globs.size > 0 || node.any !== undefined),
    globs: nodes.some((node) => node.globs.size > 0),
    known,
    other: () => {
      if (other === undefined && wild.length > 0) other = makeState(wild, compare);
      return other;
    },
    find: (key) => {
      const found = after(key);
      if (known.size < KEPT_KEYS) known.set(key, found);
      return found;
    },
  };
}

function nodesAfter<Rule>(node: Node<Rule>, key: string): Node<Rule>[] {
  const next: Node<Rule>[] = [];
  const exact = node.exact.get(key);
  if (exact !== undefined) next.push(exact);
  for (const glob of node.globs.values()) if (glob.test(key)) next.push(glob.node);
  if (node.any !== undefined) next.push(node.any);
  return next;
}
