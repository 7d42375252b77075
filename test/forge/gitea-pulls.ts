import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { RemotePlace } from '../../controller/core/remote.ts';
import type { Gitea } from './gitea.ts';

/** What people do with the pull requests of a real Gitea, which takes note of pushes some time after it has answered. */
export class GiteaPulls {
  readonly #gitea: Gitea;
  readonly #base: string;

  constructor(gitea: Gitea, { owner, name }: Pick<RemotePlace, 'owner' | 'name'>) {
    this.#gitea = gitea;
    this.#base = `/repos/${owner}/${name}`;
  }

  /** Resolves when Gitea knows that the branch is there, as do its pull requests. */
  async untilSeen(branch: string, commit: string): Promise<void> {
    await this.#until(`${branch} to be seen`, async () => {
      // It panics at a branch that it is taking note of.
      const answer = await this.#gitea.ask('GET', `${this.#base}/branches/${branch}`).catch(() => undefined);
      if ((answer?.body as { commit?: { id: string } } | undefined)?.commit?.id !== commit) return false;
      const pulls = (await this.#gitea.ask('GET', `${this.#base}/pulls?state=open&limit=50`)).body as readonly {
        head: { ref: string; sha: string };
      }[];
      return pulls.every(({ head }) => head.ref !== branch || head.sha === commit);
    });
  }

  async review(number: number, by: string, verdict: 'approved' | 'changes-requested' | 'comment'): Promise<void> {
    const event = { approved: 'APPROVED', 'changes-requested': 'REQUEST_CHANGES', comment: 'COMMENT' }[verdict];
    await this.#done('POST', `/pulls/${number}/reviews?sudo=${by}`, 200, { event, body: 'seen' });
  }

  async dismissAll(number: number): Promise<void> {
    const reviews = (await this.#done('GET', `/pulls/${number}/reviews`, 200)) as readonly { id: number }[];
    for (const { id } of reviews) {
      await this.#done('POST', `/pulls/${number}/reviews/${id}/dismissals`, 200, { message: 'no', priors: true });
    }
  }

  /** Waits until Gitea has found out that it can be merged; answers the newest commit of main. */
  async merge(
    number: number,
    by: string,
    how: 'merge' | 'squash' | 'rebase',
    { removeBranch }: { readonly removeBranch: boolean } = { removeBranch: false },
  ): Promise<string> {
    const form = { Do: how, delete_branch_after_merge: removeBranch };
    let said: unknown;
    await this.#until('the merge', async () => {
      const { status, body } = await this.#gitea.ask('POST', `${this.#base}/pulls/${number}/merge?sudo=${by}`, form);
      said = body;
      assert.ok(status === 200 || status === 405 || status === 409, `${status} ${JSON.stringify(said)}`);
      return status === 200;
    });
    const { body } = await this.#gitea.ask('GET', `${this.#base}/git/refs/heads/main`);
    return (body as readonly { object: { sha: string } }[])[0]?.object.sha ?? '';
  }

  async comment(number: number, by: string, body: string): Promise<void> {
    await this.#done('POST', `/issues/${number}/comments?sudo=${by}`, 201, { body });
  }

  /** Without merging it. */
  async close(number: number): Promise<void> {
    await this.#done('PATCH', `/pulls/${number}`, 201, { state: 'closed' });
  }

  async rewrite(number: number, body: string): Promise<void> {
    await this.#done('PATCH', `/pulls/${number}`, 201, { body });
  }

  async look(number: number): Promise<{ readonly comments: readonly string[] }> {
    const comments = (await this.#done('GET', `/issues/${number}/comments`, 200)) as readonly { body: string }[];
    return { comments: comments.map(({ body }) => body) };
  }

  async #done(method: string, path: string, expected: number, body?: object): Promise<unknown> {
    const answer = await this.#gitea.ask(method, this.#base + path, body);
    assert.equal(answer.status, expected, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async #until(what: string, is: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 30_000;
    while (!(await is())) {
      assert.ok(performance.now() < deadline, `waited 30 s for ${what}`);
      await wait(50);
    }
  }
}
