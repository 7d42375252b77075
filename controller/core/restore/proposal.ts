import { z } from 'zod';
import { oneLine } from '../words.ts';
import { countSteps, type Plan, type Selection } from './plan.ts';

/** A restore that is proposed as a branch: its names, and what its one commit says. */

/** Of the branches that hold proposals, without `refs/heads/`. */
export const PROPOSALS = 'kubekeeper/restore/';

/** What the commit of a proposal is about. */
export interface Proposal {
  /** The restore point. */
  readonly restoreTo: string;
  /** The hash of the plan that was shown. */
  readonly plan: string;
  readonly selection: Selection;
}

const SELECTION = z.strictObject({
  objects: z.array(z.string()),
  kinds: z.array(z.string()),
  selector: z.string(),
  fields: z.array(z.string()),
  prune: z.boolean(),
  existing: z.enum(['skip', 'update', 'replace']),
  evenIfManaged: z.boolean(),
  unprotect: z.array(z.string()),
  volumes: z.union([z.enum(['none', 'only']), z.array(z.string())]).exactOptional(),
});

/** The same plan has the same branch, so that it is not proposed twice. */
export function proposalBranch(plan: Plan): string {
  return `${PROPOSALS}${plan.hash.slice(0, 12)}`;
}

/** `to` is the restore point as a person wrote it, such as a tag. One line. */
export function proposalTitle(plan: Plan, to: string): string {
  const counts = Object.entries(countSteps(plan.steps)).filter(([action, count]) => CHANGES.has(action) && count > 0);
  const what = counts.map(([action, count]) => `${count} to ${action}`).join(', ');
  return oneLine(`restore ${plan.repository} to ${to.slice(0, 80)}: ${what === '' ? 'nothing' : what}`);
}

const CHANGES: ReadonlySet<string> = new Set(['create', 'update', 'replace', 'delete']);

export function renderProposal(title: string, plan: Plan): string {
  const trailers = [
    `Restore-To: ${plan.commit}`,
    `Plan: ${plan.hash}`,
    // Escaped, because a line end of any kind would begin another trailer.
    `Selection: ${JSON.stringify(plan.selection).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escapeCharacter)}`,
  ];
  return `${title}\n\n${trailers.join('\n')}\n`;
}

function escapeCharacter(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

/** From a commit's trailers; undefined for what is no proposal. Each must be there once. */
export function parseProposal(
  trailers: readonly { readonly key: string; readonly value: string }[],
): Proposal | undefined {
  const [restoreTo, plan, selection] = ['Restore-To', 'Plan', 'Selection'].map((key) => only(trailers, key));
  if (restoreTo === undefined || plan === undefined || selection === undefined) return undefined;
  if (!/^[0-9a-f]{40}$/.test(restoreTo) || !/^[0-9a-f]{64}$/.test(plan)) return undefined;
  try {
    return { restoreTo, plan, selection: SELECTION.parse(JSON.parse(selection)) };
  } catch {
    // Somebody's words, or those of a version that knows more: neither is applied.
    return undefined;
  }
}

function only(trailers: readonly { readonly key: string; readonly value: string }[], key: string): string | undefined {
  const found = trailers.filter((one) => one.key === key);
  return found.length === 1 ? found[0]?.value : undefined;
}
