import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { RemotePlace } from '../../controller/core/remote.ts';
import type { ServingAnswer, ServingQuestion } from './serving-child.ts';

/** `Omit` for each member of a union. */
type WithoutId<Question> = Question extends unknown ? Omit<Question, 'id'> : never;

/** The real `git http-backend` behind HTTP on loopback, in another process. */
export class Serving implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #open = new Map<number, (value: string | number) => void>();
  #asked = 0;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
    child.on('message', ({ id, value }: ServingAnswer) => this.#open.get(id)?.(value));
  }

  static async start(signal: AbortSignal): Promise<Serving> {
    const child = fork(new URL('./serving-child.ts', import.meta.url));
    const [first] = (await once(child, 'message', { signal })) as [ServingAnswer];
    return new Serving(child, String(first.value));
  }

  /** An empty repository; answers where it is. */
  async create(name: string): Promise<RemotePlace> {
    const url = String(await this.#ask({ create: name }));
    return { url, origin: this.#url, owner: '', name };
  }

  /** What all pushes to a repository have sent so far. */
  async bytesOf(name: string): Promise<number> {
    return Number(await this.#ask({ bytesOf: name }));
  }

  #ask(question: WithoutId<ServingQuestion>): Promise<string | number> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#open.set(id, resolve);
      this.#child.send({ id, ...question }, (error) => error && reject(error));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}
