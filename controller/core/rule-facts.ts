import { wasApplied } from './evidence.ts';
import { writersOf } from './evidence-fields.ts';
import { isAsked, roleOf, type Writer } from './evidence-writers.ts';
import { compileGlobs } from './glob.ts';
import { arrayAt, groupOf, isJsonObject, type Json, objectAt, stringAt } from './object.ts';
import { isOwned } from './ownership.ts';
import type { Match, MatchTest } from './rule-match.ts';
import type { Fact } from './rules/rule.ts';

/**
 * The questions of conditions that data alone cannot ask. Each needs a sign that is there, never one that is missing: a
 * manifest from the archive has no managedFields, and must come out of the rules as it went in.
 */
export const FACTS: Readonly<Record<Fact, { readonly words: string; readonly test: MatchTest }>> = {
  owned: {
    words: 'an archived object controls it and makes it again',
    test: ({ object, resource, options }) => isOwned(object, resource, options),
  },
  requested: { words: 'somebody asked for this value', test: wasRequested },
  'scaled-by-controller': { words: 'a controller scales it and no person set it', test: wasScaled },
  injected: { words: 'another program than the one that wrote what is around it put it there', test: wasInjected },
  'written-by-program': { words: 'only programs wrote it', test: wasWrittenByProgram },
  'image-set-by-trigger': { words: 'an automatic image trigger names this container', test: isTriggered },
  'unchanged-account': { words: 'nothing but generated secrets was added to it', test: isUnchangedAccount },
  'generated-token-name': {
    words: 'its name is ACCOUNT-token- and five made-up characters',
    test: hasGeneratedTokenName,
  },
  'without-data': {
    words: 'it has no data',
    test: ({ object }) => isBlank(object['data']) && isBlank(object['binaryData']),
  },
};

function writersAt(match: Match): readonly Writer[] {
  return writersOf(match.evidence.managedFields, match.object, match.path);
}

/** The API server's own choice of a port is nobody's field: it is made after managedFields were computed. */
function wasRequested(match: Match): boolean {
  if (match.value === 0) return false;
  const byName = writersAt(match).some((writer) => writer.manager !== 'kube-apiserver');
  return byName || wasApplied(match.evidence, match.object, match.path);
}

function wasScaled(match: Match): boolean {
  const writers = writersAt(match);
  if (writers.some(isAsked)) return false;
  return writers.some((writer) => writer.subresource === 'scale' && roleOf(writer) === 'program') || isTargeted(match);
}

/** Replicas that nobody set have no writer, whoever scales them; then the autoscaler that names the object has the word. */
function isTargeted({ object, options }: Match): boolean {
  if (options.isScaleTarget === undefined) return false;
  const namespace = stringAt(object.metadata, 'namespace') ?? '';
  const name = stringAt(object.metadata, 'name') ?? '';
  return options.isScaleTarget({ namespace, group: groupOf(object.apiVersion ?? ''), kind: object.kind ?? '', name });
}

function wasWrittenByProgram(match: Match): boolean {
  const writers = writersAt(match);
  return writers.some((writer) => roleOf(writer) === 'program') && !writers.some(isAsked);
}

/** Whoever wrote the name or address beside the bundle, or applied the object without the bundle, is not who wrote the bundle. */
function wasInjected(match: Match): boolean {
  const writers = writersAt(match).filter((writer) => !isAsked(writer));
  if (writers.length === 0 || writers.length < writersAt(match).length) return false;
  if (match.evidence.lastApplied !== undefined) return !wasApplied(match.evidence, match.object, match.path);
  const { managedFields } = match.evidence;
  const around = match.path.slice(0, -1);
  const beside = Object.keys(match.holders.at(-1) ?? {}).filter((key) => key !== match.path.at(-1));
  const others = beside.flatMap((key) => writersOf(managedFields, match.object, [...around, key]));
  return others.length > 0 && !others.some((other) => writers.some((writer) => writer.manager === other.manager));
}

/** DeploymentConfig: `spec.triggers` with an automatic image change for the container that holds the match. */
function isTriggered(match: Match): boolean {
  const container = stringAt(match.holders.at(-1), 'name');
  return arrayAt(objectAt(match.object, 'spec'), 'triggers').some((trigger) => {
    const change = objectAt(trigger, 'imageChangeParams');
    return change?.['automatic'] === true && arrayAt(change, 'containerNames').includes(container ?? '');
  });
}

const isGenerated = compileGlobs(['*-token-?????', '*-dockercfg-?????']);
const NOTES_OF_MACHINES = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'openshift.io/internal-registry-pull-secret-ref',
]);

function isUnchangedAccount({ object }: Match): boolean {
  const metadata = objectAt(object, 'metadata');
  const annotations = Object.keys(objectAt(metadata, 'annotations') ?? {});
  const references = [...arrayAt(object, 'secrets'), ...arrayAt(object, 'imagePullSecrets')];
  return (
    isBlank(metadata?.['labels']) &&
    isBlank(object['automountServiceAccountToken']) &&
    annotations.every((key) => NOTES_OF_MACHINES.has(key)) &&
    references.every((reference) => isGenerated(stringAt(reference, 'name') ?? ''))
  );
}

/** The alphabet is that of Kubernetes' generated names: no vowels, nothing that looks like another character. */
function hasGeneratedTokenName({ object }: Match): boolean {
  const metadata = objectAt(object, 'metadata');
  const account = stringAt(objectAt(metadata, 'annotations'), 'kubernetes.io/service-account.name');
  const name = stringAt(metadata, 'name') ?? '';
  if (account === undefined || !name.startsWith(`${account}-token-`)) return false;
  return /^[bcdfghjklmnpqrstvwxz2456789]{5}$/.test(name.slice(account.length + '-token-'.length));
}

function isBlank(value: Json | undefined): boolean {
  return value === undefined || value === null || (isJsonObject(value) && Object.keys(value).length === 0);
}
