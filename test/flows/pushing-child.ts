/** An archiver to be killed: commits, tags, notes and pushes as fast as it can, prints the id of each commit that it was told is safe. */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { systemTimer } from '../../controller/archive/publish-timer.ts';
import { Publisher } from '../../controller/archive/publisher.ts';
import { openRemotes } from '../../controller/archive/remote.ts';
import { parseRemoteTemplate } from '../../controller/core/remote.ts';
import { openTransport } from '../../controller/git/remote/transport.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { systemClock } from '../../controller/system-clock.ts';
import { CLUSTER_ID } from '../archive/publish-world.ts';

const [, , directory = '', url = '', seed = '0'] = process.argv;
const KEEPER = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };

// A killed process writes no cache.
flushCompileCache();
const repository = await openRepository(directory);
const transport = openTransport({ variables: {} });
const publisher = new Publisher({
  port: openRemotes({
    template: parseRemoteTemplate(`${url}/ops/{cluster}-{namespace}.git`),
    cluster: 'prod',
    openTransport: async () => transport,
    openForge: async () => undefined,
  }),
  clock: systemClock,
  timer: systemTimer,
  random: Math.random,
  clusterId: CLUSTER_ID,
  cluster: 'prod',
  report: (outcome) => {
    if (outcome.type === 'pushed') writeSync(1, `pushed ${outcome.id}\n`);
    // A failure is tried again: the backend of the life before may hold a lock for a moment. A stall would be for ever.
    if (outcome.type === 'stalled') writeSync(1, `stalled ${JSON.stringify(outcome)}\n`);
  },
  repository: () => repository,
  fail: (error) => {
    throw error;
  },
});
publisher.start(['shop']);
for (let round = 0; ; round++) {
  repository.stage(`configmaps/app-${round % 7}.json`, `{"seed":${seed},"round":${round},"at":${Date.now()}}\n`);
  const message = `round ${round}\n\nArchived-From: cluster ${CLUSTER_ID}\n`;
  const result = await repository.commit({ message, author: KEEPER, time: new Date() });
  if (result === undefined) continue;
  writeSync(1, `${result.id}\n`);
  publisher.mark('shop');
  const time = new Date();
  if (round % 5 === 4)
    await repository.tag(`good/${result.id.slice(0, 12)}`, {
      target: result.id,
      message: 'good\n',
      tagger: KEEPER,
      time,
    });
  if (round % 3 === 2) await repository.note(result.id, `ready ${round}\n`, { author: KEEPER, time });
  publisher.mark('shop');
}
