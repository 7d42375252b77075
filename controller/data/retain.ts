import { hasLabels } from '../core/data/snapshot-names.ts';
import { type Json, type KubeObject, objectAt, stringAt } from '../core/object.ts';
import { renderPointer } from '../core/pointer.ts';
import type { PatchOperation } from '../core/restore/ports.ts';
import type { SnapshotCluster } from './snapshot-cluster.ts';

/** A snapshot lives as long as its content says: whoever deletes the namespace must not take it along. */

type Content = 'contents' | 'groupContents';
export type Policy = 'Retain' | 'Delete';

export function policyOf(content: KubeObject): string | undefined {
  return stringAt(objectAt(content, 'spec'), 'deletionPolicy');
}

/**
 * The content as it is then. Another writer who was faster leaves it as it was: it is looked at again anyway.
 * `forbidden` where it may not be changed.
 */
export async function setPolicy(
  cluster: SnapshotCluster,
  kind: Content,
  content: KubeObject,
  to: {
    readonly policy: Policy;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  },
  signal: AbortSignal,
): Promise<KubeObject | 'forbidden'> {
  const was = policyOf(content);
  const operations: readonly PatchOperation[] = [
    ...(was === undefined || was === to.policy
      ? []
      : ([
          { op: 'test', path: '/spec/deletionPolicy', value: was },
          { op: 'replace', path: '/spec/deletionPolicy', value: to.policy },
        ] as const)),
    ...(to.labels === undefined || hasLabels(content, to.labels) ? [] : adding(content, 'labels', to.labels)),
    ...(to.annotations === undefined ? [] : adding(content, 'annotations', to.annotations)),
  ];
  if (operations.length === 0) return content;
  const resource = await cluster.resource(kind, signal);
  const place = { name: content.metadata.name };
  const answer = await cluster.target.patch(resource, place, operations, { dryRun: false, signal });
  if (answer.ok) return answer.object;
  return answer.refused.status === 403 ? 'forbidden' : content;
}

function adding(
  content: KubeObject,
  field: 'labels' | 'annotations',
  pairs: Readonly<Record<string, string>>,
): readonly PatchOperation[] {
  const before = objectAt(content.metadata, field);
  if (Object.keys(pairs).length === 0) return [];
  if (before === undefined) return [{ op: 'add', path: `/metadata/${field}`, value: { ...pairs } as Json }];
  return Object.entries(pairs)
    .filter(([key, value]) => before[key] !== value)
    .map(([key, value]) => ({ op: 'add', path: renderPointer(['metadata', field, key]), value }));
}
