import { hooksOfPod } from '../core/data/hooks.ts';
import type { HeldPod } from '../core/data/hooks-journal.ts';
import { stringAt } from '../core/object.ts';
import { KeeperError } from '../errors.ts';
import type { QuiesceParts } from './quiesce.ts';
import { runSurely } from './quiesce-sessions.ts';

type Parts = Pick<QuiesceParts, 'exec' | 'journal' | 'hooks' | 'readPod'>;

/** Runs the post hooks of pods that an earlier process left held; what became of each in words. What cannot be reached stays for the next. */
export async function recallPods(parts: Parts, signal: AbortSignal): Promise<readonly string[]> {
  const words = await Promise.all((await parts.journal.list()).map((held) => recallPod(parts, held, signal)));
  return words.filter((word) => word !== undefined);
}

async function recallPod(parts: Parts, held: HeldPod, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, pod: name, uid } = held;
  const told = (words: string) => `pod ${namespace}/${name} was left held by a run that was stopped: ${words}`;
  try {
    const pod = await parts.readPod(namespace, name, signal);
    if (pod === 'forbidden') return told('it may not be read, so run its post hook yourself');
    if (pod === undefined || stringAt(pod.metadata, 'uid') !== uid) {
      await parts.journal.remove(uid);
      return undefined;
    }
    const hooks = hooksOfPod(namespace, pod, parts.hooks);
    if ('problems' in hooks || hooks.post.length === 0) {
      await parts.journal.remove(uid);
      return told('its post hook is not to be found any more, run it yourself');
    }
    const place = { exec: parts.exec, namespace, pod: name, longestMs: 0 };
    const faults: string[] = [];
    let areOver = true;
    for (const step of hooks.post) {
      const { fault, state } = await runSurely(place, step, signal);
      if (fault !== undefined) faults.push(`${step.label} ${fault}`);
      areOver &&= state === 'over';
    }
    if (areOver) await parts.journal.remove(uid);
    return told(faults.length === 0 ? 'its post hooks have run now' : faults.join(', '));
  } catch (error) {
    if (signal.aborted || !(error instanceof KeeperError)) throw error;
    return told(`its post hooks could not be run: ${error.message}`);
  }
}
