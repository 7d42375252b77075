import { type KubeObject, objectAt, stringAt } from '../object.ts';
import { parseDuration } from './durations.ts';
import { HOOK_TIMEOUT_MS, type HookStep } from './hooks-step.ts';

/** Velero's annotations on pods. A wrong value is told and never guessed at: half a pair of hooks may leave an application frozen. */

export interface AnnotatedHooks {
  readonly pre: HookStep | undefined;
  readonly post: HookStep | undefined;
  readonly problems: readonly string[];
}

export function annotatedHooks(pod: KubeObject): AnnotatedHooks {
  const problems: string[] = [];
  const annotations = objectAt(pod.metadata, 'annotations');
  const read = (phase: 'pre' | 'post') => {
    const at = (word: string) => stringAt(annotations, keyOf(phase, word));
    return readStep(phase, at, problems);
  };
  return { pre: read('pre'), post: read('post'), problems };
}

const WORDS = ['container', 'command', 'on-error', 'timeout'] as const;

function readStep(
  phase: 'pre' | 'post',
  at: (word: string) => string | undefined,
  problems: string[],
): HookStep | undefined {
  if (WORDS.every((word) => at(word) === undefined)) return undefined;
  const wrong = (word: string, fault: string) => {
    problems.push(`annotation ${keyOf(phase, word)} ${fault}, so none of its hooks was run`);
  };
  const command = parseCommand(at('command') ?? '');
  if (command === undefined) wrong('command', 'must be a program, or a JSON array of a program and its arguments');
  const onError = at('on-error') ?? 'Fail';
  if (onError !== 'Fail' && onError !== 'Continue') wrong('on-error', 'must be Fail or Continue');
  const timeoutMs = parseDuration(at('timeout') ?? '0s');
  if (timeoutMs === undefined) wrong('timeout', 'must be a time such as 30s or 2m');
  if (command === undefined || timeoutMs === undefined) return undefined;
  return {
    label: `${phase} hook`,
    container: at('container') ?? '',
    command,
    timeoutMs: timeoutMs || HOOK_TIMEOUT_MS,
    isOptional: onError === 'Continue',
  };
}

function keyOf(phase: string, word: string): string {
  return `${phase}.hook.backup.velero.io/${word}`;
}

/** Undefined for what is neither. */
function parseCommand(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith('[')) return text === '' ? undefined : [text];
  try {
    const words: unknown = JSON.parse(text);
    if (!Array.isArray(words) || words.length === 0 || words[0] === '') return undefined;
    return words.every((word) => typeof word === 'string') ? words : undefined;
  } catch {
    // Whoever asked is told what is expected there.
    return undefined;
  }
}
