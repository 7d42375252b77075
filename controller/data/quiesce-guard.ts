/**
 * What ends a hold inside the pod when nobody tells it to: our process died, the connection was cut, or (by `timeout`, where the container has
 * one) nothing was heard for longer than any hold lasts. It needs `sh` in the container, and first of all writes a line that says so.
 */

/** A `timeout` that takes its time as an option (busybox before 1.30) is none. */
const HAS_TIMEOUT = 'timeout 5 true >/dev/null 2>&1';

/** Waits for a line or the end of its input, then becomes the command; its exit code is the command's. */
const RUN_AT_END = `echo; if ${HAS_TIMEOUT}; then timeout "$0" sh -c 'read -r go' >/dev/null 2>&1; else read -r go; fi
exec "$@" </dev/null >/dev/null 2>&1`;

/** Runs the command at once, with an input that ends after the time. The pipe's other end is told when the command ends first. */
const END_INPUT = `echo; ${HAS_TIMEOUT} || exec "$@"
sh -c 'echo $$; exec timeout "$0" cat' "$0" | { read -r feeder; "$@"; code=$?; kill "$feeder" 2>/dev/null; exit $code; }`;

/** A session that runs `command` when its input ends or has a line, and after `longestMs` in any case. */
export function runAtEnd(command: readonly string[], longestMs: number): readonly string[] {
  return ['sh', '-c', RUN_AT_END, seconds(longestMs), ...command];
}

/** `command` with an input that ends after `longestMs` in any case. */
export function withEndOfInput(command: readonly string[], longestMs: number): readonly string[] {
  return ['sh', '-c', END_INPUT, seconds(longestMs), ...command];
}

function seconds(ms: number): string {
  return String(Math.ceil(ms / 1000));
}
