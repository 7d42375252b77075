/** Rules are data: what is done with one place of the objects of some resources, and why. docs list them, `explain` prints them. */

/**
 * strip: not in the file · restore-only: stays in the file, dropped or transformed at a restore · keep: explicit intent ·
 * hold: stays in the file but is never the only reason for a commit · record: not in the file, its value goes to the commit's
 * trailers · never: the object is not archived at all.
 */
export type Verdict = 'strip' | 'restore-only' | 'keep' | 'hold' | 'record' | 'never';

export const VERDICTS: readonly Verdict[] = ['strip', 'restore-only', 'keep', 'hold', 'record', 'never'];

/** Questions that data alone cannot ask; rule-facts.ts answers them. */
export type Fact =
  | 'owned'
  | 'requested'
  | 'scaled-by-controller'
  | 'injected'
  | 'written-by-program'
  | 'image-set-by-trigger'
  | 'unchanged-account'
  | 'generated-token-name'
  | 'without-data';

/** Globs by pointer; '*' segments in the pointer match any key or index. Numbers and booleans are compared as text. */
export type FieldTests = Readonly<Record<string, readonly string[]>>;

/** Every part that is given must hold. Globs: `*` any run of characters, `?` one. */
export interface Condition {
  readonly name?: readonly string[];
  readonly namespace?: readonly string[];
  /** At least one is present: 'key' or 'key=value', both globs. */
  readonly annotations?: readonly string[];
  readonly labels?: readonly string[];
  /** At least one ownerReference: 'KIND' or 'KIND/NAME'. */
  readonly owners?: readonly string[];
  /** Of the object. */
  readonly fields?: FieldTests;
  /** The matched value itself is one of these. */
  readonly value?: readonly string[];
  /** Of the matched value. */
  readonly parts?: FieldTests;
  /** Of what holds the matched value, so many levels up (1 = what directly holds it). */
  readonly around?: { readonly levels: number; readonly parts: FieldTests };
  /** One of these field managers wrote the matched value last, and no person did. */
  readonly writer?: readonly string[];
  readonly fact?: Fact;
  readonly any?: readonly Condition[];
  readonly not?: Condition;
}

export interface Rule {
  /** Stable, kebab-case: 'service-cluster-ip'. A user's rule of the same id replaces a built-in one. */
  readonly id: string;
  /** As kubectl spells them: 'deployments.apps'; globs: '*', '*.kyverno.io'. */
  readonly resources: readonly string[];
  /** RFC 6901; '' is the whole object; a segment may be a glob of a key ('*', 'k8s.ovn.org~1*'). */
  readonly pointer: string;
  readonly verdict: Verdict;
  /** One short sentence for people. */
  readonly reason: string;
  readonly when?: Condition;
  /** The value is secret wherever it stays: the secrets policy seals it. No other rule lifts that. */
  readonly secret?: true;
  /** The value also goes to the commit's trailers. */
  readonly recorded?: true;
  /** The array's order has no meaning and programs rewrite it: it is sorted. */
  readonly sorted?: true;
  /** With `hold`: only a change of the array's order is held. */
  readonly orderOnly?: true;
  /** With `keep`: it stays where another built-in rule takes out what is around it, as a user's `keep` always does. */
  readonly evenWithin?: true;
  /** What stands for `null` here; elsewhere null is dropped. */
  readonly nullIs?: string;
  /** Version of Kubernetes or OpenShift that brought the field, or of the rules that brought the rule. */
  readonly since?: string;
}
