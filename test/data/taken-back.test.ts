import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { snapshotOf } from '../../controller/core/data/binding.ts';
import type { KubeObject } from '../../controller/core/object.ts';
import type { SnapshotTarget } from '../../controller/data/engine.ts';
import { missingForNode } from '../node/requirements.ts';
import { type DataWorld, methodsOf, startDataWorld, untilTrue } from './world.ts';

const skip = await missingForNode();
const GROUPED = { labels: { app: 'shop' } };

let world: DataWorld;
before(async () => {
  if (skip === false) world = await startDataWorld();
});
after(() => world?.[Symbol.asyncDispose]());
afterEach(() => world?.node.node.faults.clear());

test('a commit that is not made takes its snapshots back', { skip }, async () => {
  const space = await world.space('back', ['data']);
  await using process = await space.open();
  const data = await process.volumes.beforeCommit('back', { isForced: false });
  assert.equal(data.asked, 1);
  await data.abandoned();
  await process.settle();
  assert.deepEqual(await space.living('volumesnapshots'), []);
  assert.deepEqual(await space.stored(), []);
});

const KINDS = [
  { what: 'a snapshot', plural: 'volumesnapshots', claims: ['data'], options: {} },
  { what: 'a group', plural: 'volumegroupsnapshots', claims: ['one', 'two'], options: GROUPED },
];

for (const { what, plural, claims, options } of KINDS) {
  for (const isFirstGone of [false, true]) {
    const when = isFirstGone ? 'and is gone before that' : 'and then does';
    test(`${what} that names no content yet, ${when}, is not taken back before that content is`, { skip }, async () => {
      const name = `${plural.slice(6, -1)}-${isFirstGone ? 'gone' : 'bound'}`;
      const space = await world.space(name, claims, options);
      const left = heldContent(name, plural, isFirstGone);
      await using process = await space.open({ target: left.target });
      const data = await process.volumes.beforeCommit(name, { isForced: false });
      await data.abandoned();
      await untilTrue('it to be pushed', async () => (await left.annotations()).includes('deletion-asked'));
      assert.deepEqual((await space.living(plural)).length, isFirstGone ? 0 : 1);
      await left.letGo();
      await process.settle();
      await untilTrue('the driver to let it go', async () => (await space.stored()).length === 0);
      assert.deepEqual([await left.annotations(), await space.living(plural)], ['', []]);
    });
  }
}

/** The cluster as it was a moment earlier, when the snapshot named no content; the content that is there stays until it is let go. */
function heldContent(namespace: string, plural: string, isFirstGone: boolean) {
  const { kubectl } = world.node.cluster;
  const contents = `${plural.slice(0, -1)}contents`;
  const held = Promise.withResolvers<string>();
  let isEarlier = true;
  const target: SnapshotTarget = {
    ...methodsOf(world.target),
    get: async (resource, place, signal) => {
      const found = await world.target.get(resource, place, signal);
      if (!isEarlier || resource.plural !== plural || found === undefined || found === 'forbidden') return found;
      const { status, ...rest } = found;
      return rest as typeof found;
    },
    remove: async (resource, place, asked) => {
      if (!isEarlier || resource.plural !== plural) return await world.target.remove(resource, place, asked);
      held.resolve(await hold());
      const answer = await world.target.remove(resource, place, asked);
      const none = [
        'patch',
        plural,
        place.name,
        '-n',
        namespace,
        '--type=merge',
        '-p',
        '{"metadata":{"finalizers":[]}}',
      ];
      if (isFirstGone) await kubectl(none);
      isEarlier = false;
      return answer;
    },
  };
  const hold = async () => {
    let name = '';
    await untilTrue('the content and its finalizer', async () => {
      const { items } = JSON.parse(await kubectl(['get', contents, '-o', 'json'])) as { items: KubeObject[] };
      const content = items.find((one) => snapshotOf(one).namespace === namespace);
      name = content?.metadata.name ?? '';
      return content?.metadata['finalizers'] !== undefined;
    });
    await patchFinalizers(name, '[{"op":"add","path":"/metadata/finalizers/-","value":"test.kubekeeper.dev/hold"}]');
    return name;
  };
  const patchFinalizers = (name: string, patch: string) =>
    kubectl(['patch', contents, name, '--type=json', '-p', patch]);
  return {
    target,
    /** As text; '' when it is gone. */
    annotations: async () =>
      await kubectl([
        'get',
        contents,
        await held.promise,
        '--ignore-not-found',
        '-o',
        'jsonpath={.metadata.annotations}',
      ]),
    letGo: async () => {
      const name = await held.promise;
      const found = await kubectl(['get', contents, name, '-o', 'jsonpath={.metadata.finalizers}']);
      const index = (JSON.parse(found) as string[]).indexOf('test.kubekeeper.dev/hold');
      await patchFinalizers(name, `[{"op":"remove","path":"/metadata/finalizers/${index}"}]`);
    },
  };
}
