/** How far long work is: one line that is written over on a terminal; off a terminal a line every ten seconds. */
export interface Progress {
  tell(line: string): void;
  end(): void;
}

const EVERY_MS = 10_000;
const EVERY_MS_ON_TERMINAL = 200;

export function openProgress(): Progress {
  const isTerminal = process.stderr.isTTY === true;
  let last = Date.now();
  let isShown = false;
  return {
    tell(line) {
      if (Date.now() - last < (isTerminal ? EVERY_MS_ON_TERMINAL : EVERY_MS)) return;
      last = Date.now();
      process.stderr.write(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
      isShown = isTerminal;
    },
    end() {
      if (isShown) process.stderr.write('\r\u001b[K');
      isShown = false;
    },
  };
}
