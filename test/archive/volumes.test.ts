import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitOccasion, DataAccess, VolumeData } from '../../controller/core/data/volume-data.ts';
import type { Catalogue } from '../../controller/core/ports.ts';
import { KeeperError } from '../../controller/errors.ts';
import type { Repository } from '../../controller/git/repository.ts';
import { git, subjects, temporaryDirectory } from '../flows/keeper.ts';
import { resource, ScriptedCluster } from '../flows/scripted-cluster.ts';
import { archiveScripted, watchScripted } from './run.ts';

const configMaps = resource('configmaps', 'ConfigMap');

function configMap(name: string, value = '1') {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data: { value } };
}

function shop(): ScriptedCluster {
  const cluster = new ScriptedCluster();
  cluster.resources = [configMaps];
  cluster.apply(configMaps, configMap('one'));
  return cluster;
}

/** Answers as it is told and remembers what the archive did with the answers. */
class ScriptedVolumes implements VolumeData {
  asked: number[] = [];
  readonly calls: string[] = [];
  access: DataAccess<Repository> | undefined;

  readonly open = (access: DataAccess<Repository>): VolumeData => {
    this.access = access;
    return this;
  };

  start(repositories: readonly string[]): void {
    this.calls.push(`start ${repositories}`);
  }

  async beforeCommit(repository: string, { isForced }: CommitOccasion) {
    const asked = this.asked.shift() ?? 0;
    this.calls.push(`before ${repository}${isForced ? ' forced' : ''}`);
    return {
      asked,
      trailers: Array.from({ length: asked }, (_, index) => ['Snapshot', `claim-${index}=snap-${index}`] as const),
      committed: async (id: string) => {
        this.calls.push(`committed ${id.length}`);
        const note = { author: { name: 'a', email: 'a@example.com' }, time: new Date() };
        await this.access?.within(repository, (open) => open.note(id, '{}\n', note));
      },
      abandoned: async () => {
        this.calls.push('abandoned');
      },
    };
  }

  async settle(): Promise<void> {
    this.calls.push('settle');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.calls.push('closed');
  }
}

test('a commit names the snapshots that were asked for before it, and hears of its id', async () => {
  await using directory = await temporaryDirectory();
  const volumes = new ScriptedVolumes();
  volumes.asked = [2];
  await archiveScripted(shop(), directory.path, { openVolumeData: volumes.open });
  const message = await git(directory.path, 'shop', 'log', '-1', '--format=%(trailers:key=Snapshot,valueonly)', 'main');
  assert.equal(message.trim(), 'claim-0=snap-0\nclaim-1=snap-1');
  assert.deepEqual(volumes.calls, ['start shop', 'before shop', 'committed 40', 'settle', 'closed']);
  assert.equal((await git(directory.path, 'shop', 'notes', '--ref=data', 'show', 'main')).trim(), '{}');
});

test('snapshots that are due have a commit of their own with the same tree where no object changed', async () => {
  await using directory = await temporaryDirectory();
  const volumes = new ScriptedVolumes();
  const run = watchScripted(shop(), directory.path, { openVolumeData: volumes.open });
  await run.until('the first commit', ({ type }) => type === 'committed');
  const before = run.outcomes.length;
  volumes.asked = [1];
  volumes.access?.due('shop');
  await run.until('the commit of its own', ({ type }) => type === 'committed', before);
  await run.stop();
  assert.deepEqual(await subjects(directory.path, 'shop'), [
    'volumes of shop: 1 snapshot',
    'first archive of namespace shop: 1 object',
  ]);
  const trees = await git(directory.path, 'shop', 'log', '--format=%T', 'main');
  assert.equal(new Set(trees.trim().split('\n')).size, 1);
  await git(directory.path, 'shop', 'fsck', '--strict', '--full');
});

test('where nothing can be asked for, what was due makes no commit', async () => {
  await using directory = await temporaryDirectory();
  const volumes = new ScriptedVolumes();
  const run = watchScripted(shop(), directory.path, { openVolumeData: volumes.open });
  await run.until('the first commit', ({ type }) => type === 'committed');
  volumes.access?.due('shop');
  const deadline = Date.now() + 5000;
  while (!volumes.calls.includes('abandoned') && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  await run.stop();
  assert.ok(volumes.calls.includes('abandoned'));
  assert.equal((await subjects(directory.path, 'shop')).length, 1);
});

test('what is due while objects change goes into their commit', async () => {
  await using directory = await temporaryDirectory();
  const volumes = new ScriptedVolumes();
  const cluster = shop();
  const run = watchScripted(cluster, directory.path, { openVolumeData: volumes.open });
  await run.until('the first commit', ({ type }) => type === 'committed');
  const before = run.outcomes.length;
  volumes.asked = [1, 1];
  cluster.apply(configMaps, configMap('one', '2'));
  volumes.access?.due('shop');
  await run.until('the second commit', ({ type }) => type === 'committed', before);
  await run.stop();
  assert.equal((await subjects(directory.path, 'shop'))[0], 'configmaps/one: value 1 -> 2');
  assert.equal((await subjects(directory.path, 'shop')).length, 2);
});

/** Says nothing until the question is called off. */
class MuteCluster extends ScriptedCluster {
  override discover({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Catalogue> {
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  }
}

test('a failure while the cluster is still being read ends the run with its reason', async () => {
  await using directory = await temporaryDirectory();
  const lost = new KeeperError('the lead was lost', { kind: 'stalled', code: 'LEADERSHIP_LOST' });
  const open = (access: DataAccess<Repository>) => {
    setTimeout(() => access.fail(lost), 100);
    return new ScriptedVolumes();
  };
  await assert.rejects(archiveScripted(new MuteCluster(), directory.path, { openVolumeData: open }), lost);
});
