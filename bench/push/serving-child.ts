import { startGitServer } from '../../test/remote/git-server.ts';

/** A process of its own for the Git server, so that it does not share the event loop of what is measured. Ends with its parent. */

export type ServingQuestion =
  | { readonly id: number; readonly create: string }
  /** Bytes of the bodies of all pushes to this repository, as they came. */
  | { readonly id: number; readonly bytesOf: string };

export interface ServingAnswer {
  readonly id: number;
  readonly value: string | number;
}

const server = await startGitServer();

process.on('message', (question: ServingQuestion) => {
  process.send?.({ id: question.id, value: answer(question) } satisfies ServingAnswer);
});
process.on('disconnect', () => void server[Symbol.asyncDispose]().then(() => process.exit(0)));
process.send?.({ id: 0, value: server.url } satisfies ServingAnswer);

function answer(question: ServingQuestion): string | number {
  if ('create' in question) {
    // Its own collection would run in the background, beside what is measured.
    const config = { 'receive.autogc': 'false', 'gc.auto': '0' };
    return server.createRepository(question.create, { config }).url;
  }
  const path = `/${question.bytesOf}.git/git-receive-pack`;
  return server.requests.filter((one) => one.path === path).reduce((sum, { bytesIn }) => sum + bytesIn, 0);
}
