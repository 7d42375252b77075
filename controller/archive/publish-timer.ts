/** Waiting, passed in so that tests can let a day pass in a moment. */
export interface Timer {
  /** Calls once after so many milliseconds; the answer calls it off. */
  start(ms: number, fire: () => void): () => void;
}

export const systemTimer: Timer = {
  start(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after the time, or at once when the signal fires. */
export function wait(timer: Timer, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      callOff();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const callOff = timer.start(ms, end);
    signal.addEventListener('abort', end);
  });
}

/** A signal that fires with `reason()` after the time, or with the outer one. Disposing ends both. */
export function timeLimit(
  timer: Timer,
  ms: number,
  outer: AbortSignal,
  reason: () => Error,
): Disposable & { readonly signal: AbortSignal } {
  const inner = new AbortController();
  const pass = () => inner.abort(outer.reason);
  if (outer.aborted) pass();
  outer.addEventListener('abort', pass);
  const callOff = timer.start(ms, () => inner.abort(reason()));
  return {
    signal: inner.signal,
    [Symbol.dispose]() {
      callOff();
      outer.removeEventListener('abort', pass);
    },
  };
}
