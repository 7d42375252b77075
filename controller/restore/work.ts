import type { KubeObject, Resource } from '../core/object.ts';
import type { Plan, Step } from '../core/restore/plan.ts';
import type { ObjectPlace, PatchOperation } from '../core/restore/ports.ts';
import type { Fallback, OwnerLink } from '../core/restore/prepare.ts';
import type { FieldWords } from '../core/words.ts';

export type { Fallback, OwnerLink };

/** What carrying out a step sends. Read from Git when its turn comes, so that memory does not grow with the plan. */

interface Making {
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly fallbacks: readonly Fallback[];
  readonly owners: readonly OwnerLink[];
  /** To be added once everything else is done. */
  readonly finalizers: readonly string[];
  /** What is sent holds secret values. */
  readonly isSecret?: boolean;
}

interface Living {
  readonly resource: Resource;
  readonly place: ObjectPlace;
  readonly uid: string;
  readonly resourceVersion: string;
}

export type Propagation = 'Foreground' | 'Background' | 'Orphan';

export type Work =
  | ({ readonly do: 'create' } & Making)
  | {
      readonly do: 'update';
      readonly resource: Resource;
      readonly place: ObjectPlace;
      readonly operations: readonly PatchOperation[];
      readonly isSecret?: boolean;
    }
  | ({ readonly do: 'replace'; readonly propagation: Propagation } & Living & Making)
  | ({ readonly do: 'delete'; readonly propagation: Propagation } & Living)
  /** Live is not what was planned for any more: nothing is done, and it is told. */
  | { readonly do: 'moved'; readonly why: string };

export interface PlannedRestore {
  readonly plan: Plan;
  /**
   * Of a step that changes something. Asked when its turn comes: `moved` when live differs from what was planned for. `adopt`: what lives by now
   * where nothing did was made by a controller; it is updated (with no operations when it is equal), not `moved`.
   */
  work(step: Step, options?: { readonly adopt?: boolean }): Promise<Work>;
  /** What a live object, as the server sent it, differs in from what the step aims at; empty when it is that. */
  difference(step: Step, live: KubeObject): Promise<readonly FieldWords[]>;
  /** What is sent for a claim of the plan that lives and is made anew; undefined where it cannot be made. */
  claim?(name: string): Promise<Making | undefined>;
  /** The manifest that a step aims at, as a fresh archive would write it but for what its notes name; undefined for a deletion. */
  target(step: Step): Promise<KubeObject | undefined>;
}
