import { readFile } from 'node:fs/promises';

/** A function of a V8 CPU profile, with the time that was spent in itself. */
export interface Frame {
  readonly name: string;
  /** Empty for what is native. */
  readonly url: string;
  readonly selfMs: number;
  /** The nearest caller that has a source file, for native frames. */
  readonly callerUrl: string;
  readonly callerName: string;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** The frames of a `.cpuprofile`; one per place in the call tree. */
export async function readProfile(file: string): Promise<readonly Frame[]> {
  const profile = JSON.parse(await readFile(file, 'utf8')) as Profile;
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const selfMs = new Map<number, number>();
  profile.samples.forEach((id, place) => {
    // A delta stands before its sample: the time up to the next one was spent here.
    selfMs.set(id, (selfMs.get(id) ?? 0) + (profile.timeDeltas[place + 1] ?? 0) / 1000);
  });
  const callerOf = (id: number): ProfileNode | undefined => {
    const parent = nodes.get(parents.get(id) ?? -1);
    return parent === undefined || parent.callFrame.url !== '' ? parent : callerOf(parent.id);
  };
  return [...selfMs].map(([id, ms]) => {
    const frame = nodes.get(id)?.callFrame;
    const caller = callerOf(id)?.callFrame;
    const [name, url] = [frame?.functionName || '(anonymous)', frame?.url ?? ''];
    return { name, url, selfMs: ms, callerUrl: caller?.url ?? '', callerName: caller?.functionName ?? '' };
  });
}
