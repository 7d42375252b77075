/** Receives a pack from a file, and prints how much memory that needed besides what was there before. */
import { createReadStream, readFileSync } from 'node:fs';
import { openRepository } from '../../controller/git/repository.ts';

const [, , directory = '', pack = ''] = process.argv;
const repository = await openRepository(directory);
const before = needed();
let most = before;
const look = () => {
  most = Math.max(most, needed());
};
// The second half comes when the source has ended: whenever it gives way.
const timer = setInterval(look, 200);
const received = await repository.receivePack(watched());
clearInterval(timer);
const resident = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
console.log(JSON.stringify({ objects: received.objects, bytes: most - before, resident }));

async function* watched(): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const bytes of createReadStream(pack)) {
    yield bytes as Buffer;
    read += bytes.length;
    if (read % (8 * 1024 * 1024) < bytes.length) look();
  }
}

/** What is left when nothing is left that nobody needs. */
function needed(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
