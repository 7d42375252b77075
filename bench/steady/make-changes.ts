import { setTimeout as sleep } from 'node:timers/promises';
import { changeConfigMap, configMapsOf } from '../world/config-maps.ts';
import type { Generated } from '../world/generate-object.ts';
import { drawFrom } from '../world/text.ts';
import type { World } from '../world/world.ts';

/** What was changed: the last value of each ConfigMap, which is what Git must hold in the end. */
export interface Changes {
  readonly count: number;
  readonly seconds: number;
  readonly last: ReadonlyMap<Generated, string>;
  /** When the last answer came, by `performance.now()`. */
  readonly endedAt: number;
}

/** Sends changes at a fixed rate, each to a ConfigMap drawn at random, the namespaces in turn; a slow answer delays no other change. */
export async function makeChanges(
  world: World,
  pace: { readonly perSecond: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<Changes> {
  const namespaces = world.size.namespaces.map(configMapsOf);
  const draw = drawFrom(1);
  const last = new Map<Generated, string>();
  const pending = new Map<Generated, Promise<void>>();
  const count = pace.perSecond * pace.seconds;
  const started = performance.now();
  for (let number = 0; number < count; number++) {
    await sleep(Math.max(0, started + (number * 1000) / pace.perSecond - performance.now()), undefined, { signal });
    const targets = namespaces[number % namespaces.length] ?? [];
    const target = targets[draw(targets.length)];
    if (target === undefined) throw new Error('a namespace holds no ConfigMap');
    const revision = `change-${number}`;
    last.set(target, revision);
    // Two changes of one object must arrive in order, or the last value would be anyone's guess.
    const previous = pending.get(target) ?? Promise.resolve();
    pending.set(
      target,
      previous.then(() => changeConfigMap(world.cluster, target, revision)),
    );
  }
  await Promise.all(pending.values());
  const endedAt = performance.now();
  return { count, seconds: (endedAt - started) / 1000, last, endedAt };
}
