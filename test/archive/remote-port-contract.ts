import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RemotePort } from '../../controller/archive/remote-port.ts';
import type { KeeperError } from '../../controller/errors.ts';
import { PublishWorld } from './publish-world.ts';

/** What every RemotePort does, be it scripted or real: the flow's tests are worth as much as this holds for both. */

export interface Remotes extends AsyncDisposable {
  readonly port: RemotePort;
  /** An empty repository for `shop`. */
  create(): void;
  refs(): ReadonlyMap<string, string>;
  /** From now on the remote does not answer. */
  hang(): void;
}

const MAIN = 'refs/heads/main';
const SIDE = 'refs/heads/kubekeeper/from-prod';
const NEVER = new AbortController().signal;

export function testRemotePort(what: string, open: () => Promise<Remotes>): void {
  async function prepared() {
    const remotes = await open();
    remotes.create();
    const world = new PublishWorld(remotes.port);
    const [first, second] = [await world.commit('shop'), await world.commit('shop')];
    const repository = world.repositories.get('shop') ?? assert.fail();
    const place = remotes.port.place('shop');
    const push = async (...updates: Parameters<RemotePort['push']>[2]) => {
      const advertised = await remotes.port.state(place, NEVER);
      return await remotes.port.push(repository, place, updates, { advertised, signal: NEVER });
    };
    return { remotes, world, first, second, repository, place, push };
  }

  test(`${what}: a repository that does not exist is REMOTE_NOT_FOUND, an empty one has no refs`, async () => {
    await using remotes = await open();
    const place = remotes.port.place('shop');
    await assert.rejects(remotes.port.state(place, NEVER), (error: KeeperError) => {
      return error.code === 'REMOTE_NOT_FOUND' && error.kind === 'stalled';
    });
    remotes.create();
    assert.deepEqual([...(await remotes.port.state(place, NEVER)).refs], []);
  });

  test(`${what}: a push moves, makes and deletes refs, all of them`, async () => {
    const { remotes, world, first, second, push } = await prepared();
    await using _remotes = remotes;
    await using _world = world;
    await push({ ref: MAIN, from: undefined, to: first }, { ref: SIDE, from: undefined, to: first });
    assert.deepEqual(
      new Map(remotes.refs()),
      new Map([
        [MAIN, first],
        [SIDE, first],
      ]),
    );
    const { objects, bytes } = await push(
      { ref: MAIN, from: first, to: second },
      { ref: SIDE, from: first, to: undefined },
    );
    assert.deepEqual([...remotes.refs()], [[MAIN, second]]);
    assert.ok(objects > 0 && bytes > 0);
  });

  test(`${what}: when one ref is not where it should be, none is moved and it is REMOTE_DIVERGED`, async () => {
    const { remotes, world, first, second, repository, place, push } = await prepared();
    await using _remotes = remotes;
    await using _world = world;
    const before = await remotes.port.state(place, NEVER);
    await push({ ref: MAIN, from: undefined, to: first });
    const updates = [
      { ref: SIDE, from: undefined, to: second },
      { ref: MAIN, from: undefined, to: second },
    ];
    // With what was seen before somebody else pushed, and with what is there now.
    for (const advertised of [before, await remotes.port.state(place, NEVER)]) {
      const pushing = remotes.port.push(repository, place, updates, { advertised, signal: NEVER });
      await assert.rejects(pushing, (error: KeeperError) => error.code === 'REMOTE_DIVERGED');
    }
    assert.deepEqual([...remotes.refs()], [[MAIN, first]]);
  });

  test(`${what}: a branch is never moved back`, async () => {
    const { remotes, world, first, second, push } = await prepared();
    await using _remotes = remotes;
    await using _world = world;
    await push({ ref: MAIN, from: undefined, to: second });
    await assert.rejects(push({ ref: MAIN, from: second, to: first }), (error: KeeperError) => {
      return error.code === 'REMOTE_DIVERGED';
    });
    assert.deepEqual([...remotes.refs()], [[MAIN, second]]);
  });

  test(`${what}: a remote that hangs is left when the signal fires, with the signal's reason`, async () => {
    await using remotes = await open();
    remotes.create();
    remotes.hang();
    const stop = new AbortController();
    const reason = new Error('enough');
    const asked = remotes.port.state(remotes.port.place('shop'), stop.signal);
    setTimeout(() => stop.abort(reason), 50);
    await assert.rejects(asked, (error) => error === reason);
  });
}
