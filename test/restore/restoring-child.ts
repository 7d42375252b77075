import { flushCompileCache } from 'node:module';
import { connect } from '../../controller/cluster/connect.ts';
import { openRestoreTarget } from '../../controller/cluster/open-restore-target.ts';
import type { RestoreTarget } from '../../controller/core/restore/ports.ts';
import { planByHand, type Wanted } from './hand-plan.ts';
import { applyInto } from './restoring.ts';
import { smallWorld } from './small-world.ts';

/**
 * A restore that ends itself as kill -9 would: with the first step that ends in a wave, or (`deleted`) when its first deletion has been
 * answered. Arguments: kubeconfig, directory, id, the world's name, where to end, and a list of what is wanted instead of the world.
 */

const [kubeconfig, directory, id, name, where, given] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string | undefined,
];
// A killed process writes no cache.
flushCompileCache();
await using connection = await connect({ kubeconfig });
const target = openRestoreTarget(connection);
const wanted = given === undefined ? smallWorld(name) : (JSON.parse(given) as readonly Wanted[]);
const end = () => process.kill(process.pid, 'SIGKILL');
const dying: RestoreTarget = {
  ...target,
  remove: async (...args) => {
    await target.remove(...args);
    if (where === 'deleted') end();
    return await new Promise(() => undefined);
  },
};
let wave = '';
await applyInto(directory, id, dying, await planByHand(target, wanted), {
  onEvent: (event) => {
    if (event.type === 'wave') wave = event.wave;
    if (event.type === 'step' && wave === where) end();
  },
});
