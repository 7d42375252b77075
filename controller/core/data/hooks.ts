import type { HookSpec } from '../../api/hooks.ts';
import { compileGlobs } from '../glob.ts';
import { arrayAt, type KubeObject, objectAt, stringAt } from '../object.ts';
import { labelsOf } from './claims.ts';
import { annotatedHooks } from './hooks-annotations.ts';
import { HOOK_TIMEOUT_MS, type HookStep } from './hooks-step.ts';
import { milliseconds } from './policy.ts';
import { compileLabelSelector } from './selector.ts';

/** Which commands run in which pods around a snapshot. */

/** Each in the order in which it runs. */
export interface PodHooks {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly pre: readonly HookStep[];
  readonly held: readonly HookStep[];
  readonly post: readonly HookStep[];
}

export interface HookPlan {
  readonly pods: readonly PodHooks[];
  /** Why the claims are not quiesced whatever these hooks do: wrong annotations, pods without a hook. Empty where no hook is for any pod. */
  readonly problems: readonly string[];
}

/** `pods` are all of the namespace; only what runs and can write to one of the claims counts. */
export function planHooks(
  namespace: string,
  pods: readonly KubeObject[],
  claims: readonly string[],
  hooks: readonly HookSpec[],
): HookPlan {
  const planned: PodHooks[] = [];
  const wrong: string[] = [];
  const uncovered: string[] = [];
  for (const pod of pods) {
    const use = useOf(pod, new Set(claims));
    if (use === 'none' || !isAlive(pod)) continue;
    const name = pod.metadata.name;
    const found = hooksOfPod(namespace, pod, hooks);
    if ('problems' in found) wrong.push(...found.problems.map((problem) => `pod ${name}: ${problem}`));
    else {
      if (isRunning(pod) && stepsOf(found).length > 0) planned.push(found);
      const holds = isRunning(pod) && found.pre.length + found.held.length > 0;
      if (use === 'writes' && !holds) uncovered.push(`pod ${name}: ${whyNotHeld(pod)}`);
    }
  }
  if (planned.length === 0 && wrong.length === 0) return { pods: [], problems: [] };
  return { pods: planned, problems: [...wrong, ...uncovered] };
}

/** Of one pod, whatever it mounts. */
export function hooksOfPod(
  namespace: string,
  pod: KubeObject,
  hooks: readonly HookSpec[],
): PodHooks | { readonly problems: readonly string[] } {
  const annotated = annotatedHooks(pod);
  const fitting = hooks.filter((hook) => isFor(hook, namespace, pod));
  const written = (phase: 'pre' | 'held' | 'post') =>
    fitting.flatMap((hook) => (hook[phase] ?? []).map(({ exec }) => stepOf(`${phase} hook ${hook.name}`, exec)));
  const found = {
    namespace,
    pod: pod.metadata.name,
    uid: stringAt(pod.metadata, 'uid') ?? '',
    pre: annotated.pre === undefined ? written('pre') : [annotated.pre],
    held: written('held'),
    post: annotated.post === undefined ? written('post') : [annotated.post],
  };
  const containers = containersOf(pod);
  const [first = ''] = containers;
  const strangers = stepsOf(found).filter(({ container }) => container !== '' && !containers.includes(container));
  const problems = [
    ...annotated.problems,
    ...strangers.map(({ label, container }) => `${label} is for container ${container}, which it does not have`),
  ];
  if (problems.length > 0) return { problems };
  const placed = (steps: readonly HookStep[]) =>
    steps.map((step) => (step.container === '' ? { ...step, container: first } : step));
  return { ...found, pre: placed(found.pre), held: placed(found.held), post: placed(found.post) };
}

function isFor(hook: HookSpec, namespace: string, pod: KubeObject): boolean {
  const { includedNamespaces = ['*'], excludedNamespaces = [], labelSelector = {} } = hook;
  return (
    compileGlobs(includedNamespaces)(namespace) &&
    !compileGlobs(excludedNamespaces)(namespace) &&
    compileLabelSelector(labelSelector)(labelsOf(pod))
  );
}

function stepOf(label: string, exec: NonNullable<HookSpec['pre']>[number]['exec']): HookStep {
  return {
    label,
    container: exec.container ?? '',
    command: exec.command,
    timeoutMs: milliseconds(exec.timeout ?? '0s') || HOOK_TIMEOUT_MS,
    isOptional: exec.onError === 'Continue',
  };
}

function stepsOf({ pre, held, post }: Pick<PodHooks, 'pre' | 'held' | 'post'>): readonly HookStep[] {
  return [...pre, ...held, ...post];
}

/** Sidecars among the init containers run beside the others. */
function containersOf(pod: KubeObject): readonly string[] {
  const spec = objectAt(pod, 'spec');
  const sidecars = arrayAt(spec, 'initContainers').filter((one) => stringAt(one, 'restartPolicy') === 'Always');
  return [...arrayAt(spec, 'containers'), ...sidecars].map((one) => stringAt(one, 'name') ?? '');
}

function useOf(pod: KubeObject, claims: ReadonlySet<string>): 'none' | 'reads' | 'writes' {
  let use: 'none' | 'reads' = 'none';
  for (const volume of arrayAt(objectAt(pod, 'spec'), 'volumes')) {
    const source = objectAt(volume, 'persistentVolumeClaim');
    if (!claims.has(stringAt(source, 'claimName') ?? '')) continue;
    if (source?.['readOnly'] !== true) return 'writes';
    use = 'reads';
  }
  return use;
}

function isRunning(pod: KubeObject): boolean {
  return phaseOf(pod) === 'Running';
}

/** Runs, or may any moment: containers that prepare it write already. */
function isAlive(pod: KubeObject): boolean {
  const phase = phaseOf(pod);
  if (phase === 'Pending') return stringAt(objectAt(pod, 'spec'), 'nodeName') !== undefined;
  return phase !== 'Succeeded' && phase !== 'Failed';
}

function phaseOf(pod: KubeObject): string {
  return stringAt(objectAt(pod, 'status'), 'phase') ?? 'Unknown';
}

function whyNotHeld(pod: KubeObject): string {
  if (isRunning(pod)) return 'nothing holds it still, it has no pre or held hook';
  return phaseOf(pod) === 'Pending' ? 'it is starting' : 'whether it runs is not known';
}
