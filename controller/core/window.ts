/**
 * A window collects what becomes one commit: opened by the first change, closed after a time of silence and at the latest
 * at a maximum age. Times are milliseconds of a monotonic clock, so a jump of the wall clock moves no window.
 */
export interface Window {
  readonly openedAt: number;
  readonly lastChangeAt: number;
}

export interface WindowLimits {
  /** Silence that closes a window; 0 closes it at once. */
  readonly silenceMs: number;
  readonly maximumMs: number;
}

/** The window after a change at `now`. */
export function touch(window: Window | undefined, now: number): Window {
  return { openedAt: window?.openedAt ?? now, lastChangeAt: now };
}

/** When the window closes if nothing else happens. */
export function dueAt(window: Window, limits: WindowLimits): number {
  return Math.min(window.lastChangeAt + limits.silenceMs, window.openedAt + limits.maximumMs);
}
