/** A demo ends at once when it is interrupted, whatever it waits for. */

/** What cannot be interrupted is left behind; it ends with this process. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, interrupted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Undefined once the signal has aborted: that is how playing ends. */
export async function unlessEnded<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return promise.catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
}
