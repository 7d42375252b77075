const EVERY_MS = 500;

/** Tells how late a timer fires, in milliseconds; it keeps no process alive. */
export function watchLoopLag(tell: (lateMs: number) => void): Disposable {
  let due = performance.now() + EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    tell(Math.max(0, now - due));
    due = now + EVERY_MS;
  }, EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
