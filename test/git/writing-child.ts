/** A writer to be killed: commits as fast as it can, prints the id of each commit that it was told is safe. */
import { writeSync } from 'node:fs';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, manifest } from './bare-repository.ts';

const [, , directory = '', seed = '0'] = process.argv;
let state = Number(seed) + 1;
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >>> 8) % below;
}

const repository = await openRepository(directory, { autoConsolidate: false });
let merging: Promise<unknown> = Promise.resolve();
for (let round = 0; ; round++) {
  for (let i = random(6); i >= 0; i--) {
    const path = `deployments.apps/web-${random(40)}.json`;
    if (random(8) === 0) repository.stageDeletion(path);
    else repository.stage(path, manifest('web', random(1_000_000)));
  }
  if (random(5) === 0) await repository.spill();
  const result = await repository.commit({ message: `round ${round}`, author: AUTHOR, time: new Date() });
  if (result !== undefined) writeSync(1, `${result.id}\n`);
  if (random(6) === 0) {
    await merging;
    merging = repository.consolidate({ full: random(2) === 0 });
  }
}
