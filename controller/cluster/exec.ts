import type { ContainerPlace, ExecEnd, ExecSession, PodExec } from '../core/data/hooks-exec.ts';
import { arrayAt, isJsonObject, objectAt, stringAt } from '../core/object.ts';
import type { UpgradingConnection } from './connect.ts';
import type { OpenSocket } from './web-socket.ts';

/**
 * `kubectl exec` over the API server's WebSocket (`v5.channel.k8s.io`; the server chooses v4 where it knows no v5, which cannot end the input
 * alone). Standard error is not asked for, and of standard output only lines are counted.
 */
export function openPodExec(connection: UpgradingConnection): PodExec {
  return {
    start: async (place, command, { input, signal }) => {
      const path = pathOf(place, command, input);
      return new SocketSession(await connection.webSocket(path, { protocols: [V5, V4], signal }));
    },
  };
}

const V5 = 'v5.channel.k8s.io';
const V4 = 'v4.channel.k8s.io';

/** The first byte of each message. */
const CHANNEL = { input: 0, output: 1, status: 3, close: 255 } as const;
const NEWLINE = 0x0a;

function pathOf({ namespace, pod, container }: ContainerPlace, command: readonly string[], input: boolean): string {
  const query = new URLSearchParams({ container, stdin: String(input), stdout: 'true', stderr: 'false' });
  for (const word of command) query.append('command', word);
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec?${query}`;
}

class SocketSession implements ExecSession {
  readonly ended: Promise<ExecEnd>;
  end: ExecEnd | undefined;
  readonly #open: OpenSocket;
  readonly #end = Promise.withResolvers<ExecEnd>();
  #lines = 0;
  #waiting: { readonly lines: number; readonly tell: (wrote: boolean) => void }[] = [];

  constructor(open: OpenSocket) {
    this.#open = open;
    this.ended = this.#end.promise;
    open.receive(
      (message) => this.#take(message),
      () => this.#finish({ kind: 'lost' }),
    );
  }

  wrote(lines: number): Promise<boolean> {
    if (this.#lines >= lines) return Promise.resolve(true);
    if (this.end !== undefined) return Promise.resolve(false);
    return new Promise((tell) => this.#waiting.push({ lines, tell }));
  }

  nudge(): void {
    this.#open.socket.send(Uint8Array.of(CHANNEL.input, NEWLINE));
  }

  endInput(): void {
    if (this.#open.socket.protocol === V5) this.#open.socket.send(Uint8Array.of(CHANNEL.close, CHANNEL.input));
    else this.leave();
  }

  leave(): void {
    this.#finish({ kind: 'unseen' });
  }

  #take(message: Uint8Array): void {
    if (message[0] === CHANNEL.output) this.#count(message);
    else if (message[0] === CHANNEL.status && message.length > 1) this.#finish(endOf(message.subarray(1)));
  }

  #count(message: Uint8Array): void {
    for (const byte of message.subarray(1)) if (byte === NEWLINE) this.#lines++;
    const told = this.#waiting.filter(({ lines }) => lines <= this.#lines);
    this.#waiting = this.#waiting.filter((one) => !told.includes(one));
    for (const { tell } of told) tell(true);
  }

  #finish(end: ExecEnd): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.#end.resolve(end);
    for (const { tell } of this.#waiting) tell(false);
    this.#waiting = [];
    this.#open.cut();
  }
}

/** The Status object that ends a session. Its message is the node's, and is put into words of ours: it may repeat the command. */
function endOf(bytes: Uint8Array): ExecEnd {
  const status = tryParse(new TextDecoder().decode(bytes));
  if (stringAt(status, 'status') === 'Success') return { kind: 'exited', exitCode: 0 };
  const causes = arrayAt(objectAt(status, 'details'), 'causes');
  const code = causes.find((cause) => stringAt(cause, 'reason') === 'ExitCode');
  const exitCode = Number(stringAt(code, 'message') ?? Number.NaN);
  if (Number.isInteger(exitCode)) return { kind: 'exited', exitCode };
  const said = stringAt(status, 'message') ?? '';
  return { kind: 'not-started', why: REASONS.find(([pattern]) => pattern.test(said))?.[1] ?? OTHERWISE };
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/executable file not found|no such file or directory/i, 'the container has no such program'],
  [/permission denied/i, 'the container may not execute that program'],
  [/container not found|not found in pod|container .* is not valid/i, 'the container is not there'],
  [/stopped|not running|terminated/i, 'the container does not run'],
];
const OTHERWISE = 'the node could not start it; try it with kubectl exec';

function tryParse(text: string) {
  try {
    const parsed: unknown = JSON.parse(text);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    // Not a Status: said as one that tells nothing.
    return undefined;
  }
}
