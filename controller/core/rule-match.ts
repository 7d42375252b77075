import type { Evidence } from './evidence.ts';
import type { Json, KubeObject, ResourceName } from './object.ts';
import type { SanitiseOptions } from './sanitise-options.ts';

/** A place of an object that a rule's pointer matched: what conditions and facts are asked about. */
export interface Match {
  readonly object: KubeObject;
  readonly resource: ResourceName;
  readonly evidence: Evidence;
  readonly options: SanitiseOptions;
  readonly value: Json;
  /** Unescaped, concrete. */
  readonly path: readonly string[];
  /** The object itself first, what directly holds `value` last. */
  readonly holders: readonly Json[];
}

export type MatchTest = (match: Match) => boolean;
