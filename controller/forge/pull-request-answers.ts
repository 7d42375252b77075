import { isJsonObject, type Json, objectAt, stringAt } from '../core/object.ts';
import type { PullRequest, PullRequestComment, Review } from '../core/ports.ts';
import { oneLine } from '../core/words.ts';

/** What forges answer about pull requests, in our words; undefined for what is no such answer. */

const ID = /^[0-9a-f]{40}$/;

export function readOpened(answer: Json): { readonly number: number; readonly url: string } | undefined {
  const number = isJsonObject(answer) ? answer['number'] : undefined;
  const url = stringAt(answer, 'html_url');
  return Number.isSafeInteger(number) && url !== undefined
    ? { number: number as number, url: oneLine(url) }
    : undefined;
}

export function readPull(answer: Json): PullRequest | undefined {
  const opened = readOpened(answer);
  const [head, base] = [objectAt(answer, 'head'), objectAt(answer, 'base')];
  const [commit, target] = [stringAt(head, 'sha'), stringAt(base, 'ref')];
  if (opened === undefined || commit === undefined || !ID.test(commit) || target === undefined) return undefined;
  const isMerged = stringAt(answer, 'merged_at') !== undefined;
  const merge = stringAt(answer, 'merge_commit_sha');
  return {
    ...opened,
    state: isMerged ? 'merged' : stringAt(answer, 'state') === 'open' ? 'open' : 'closed',
    body: stringAt(answer, 'body') ?? '',
    branch: branchOf(head),
    head: commit,
    base: target,
    // Before the merge GitHub has a commit there that tries it.
    mergeCommit: isMerged && merge !== undefined && ID.test(merge) ? merge : undefined,
  };
}

/** Of a branch that is gone Gitea keeps the name in the label only; GitHub writes the owner before it there. */
function branchOf(head: Json | undefined): string {
  const ref = stringAt(head, 'ref') ?? '';
  return ref.startsWith('refs/') ? (stringAt(head, 'label') ?? ref) : ref;
}

const VERDICTS: Readonly<Record<string, Review['verdict'] | 'none'>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes-requested',
  REQUEST_CHANGES: 'changes-requested',
  DISMISSED: 'none',
};

/** Both list them oldest first; words without a verdict change none. */
export function readReviews(answers: readonly Json[]): readonly Review[] {
  const last = new Map<string, Review | undefined>();
  for (const answer of answers) {
    const by = stringAt(objectAt(answer, 'user'), 'login');
    const isDismissed = isJsonObject(answer) && answer['dismissed'] === true;
    const verdict = isDismissed ? 'none' : VERDICTS[stringAt(answer, 'state') ?? ''];
    if (by === undefined || verdict === undefined) continue;
    const commit = stringAt(answer, 'commit_id') ?? '';
    last.set(by, verdict === 'none' ? undefined : { by, verdict, commit });
  }
  return [...last.values()].filter((one) => one !== undefined);
}

/** `self` is our login. A GitHub App has none to ask for, but what a person writes is none of its. */
export function readComment(answer: Json, self: string | undefined): PullRequestComment | undefined {
  const body = stringAt(answer, 'body');
  if (body === undefined) return undefined;
  const user = objectAt(answer, 'user');
  const login = stringAt(user, 'login');
  if (self !== undefined) return { isOurs: login?.toLowerCase() === self.toLowerCase(), body };
  return { isOurs: stringAt(user, 'type') === 'User' ? false : undefined, body };
}
