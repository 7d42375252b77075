import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { Credential, CredentialSource } from '../../controller/core/ports.ts';
import type { RemotePlace } from '../../controller/core/remote.ts';
import { KeeperError } from '../../controller/errors.ts';
import type { OpenForge } from '../../controller/forge/open-forge.ts';

/** What every forge must do, on whatever stands behind it. */
export interface ForgeWorld extends AsyncDisposable {
  readonly kind: 'github' | 'gitea';
  readonly origin: string;
  /** `ann` may make repositories in the organization `ops` and for herself; `bob` is nobody there. */
  readonly tokens: { readonly ann: string; readonly bob: string; readonly withoutScope: string };
  /** What the refusal of a token without the scope must name. */
  readonly scope: RegExp;
  open(credentials: CredentialSource): Promise<OpenForge | undefined>;
  /** As an administrator sees it. */
  look(owner: string, name: string): Promise<SeenRepository | undefined>;
  /** Brings a branch `main` into being. */
  push(place: RemotePlace, token: string): Promise<void>;
  /** What a person who allows force pushes to `main` does. */
  allowForcePushes(owner: string, name: string): Promise<void>;
  /** Says what went wrong without that a result showed it. */
  check(): void;
}

export interface SeenRepository {
  readonly isPrivate: boolean;
  readonly isEmpty: boolean;
  readonly description: string;
  /** Of `main`. */
  readonly allowsForcePush: boolean;
}

/** A source that gives out one credential after the other, the next whenever it is asked to renew, and counts that. */
export class ScriptedCredentials implements CredentialSource {
  renewals = 0;
  readonly #credentials: Credential[];

  constructor(...tokens: readonly (string | Credential)[]) {
    this.#credentials = tokens.map((one) => (typeof one === 'string' ? { kind: 'token', token: one } : one));
  }

  async get(options: { readonly renew?: boolean } = {}): Promise<Credential | undefined> {
    if (options.renew === true) this.renewals++;
    if (options.renew === true && this.#credentials.length > 1) this.#credentials.shift();
    return this.#credentials[0];
  }
}

export function placeIn(origin: string, owner: string, name: string): RemotePlace {
  return { url: `${origin}/${owner}/${name}.git`, origin, owner, name };
}

/** The error that a promise rejects with, which must be of this code and kind and show none of the secrets. */
export async function refusalOf(
  work: Promise<unknown>,
  expected: { readonly code: string; readonly kind: string; readonly secrets?: readonly string[] },
): Promise<KeeperError> {
  const error = await work.then(
    (value) => assert.fail(`it gave ${inspect(value)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KeeperError, inspect(error));
  assert.deepEqual(
    { code: error.code, kind: error.kind },
    { code: expected.code, kind: expected.kind },
    inspect(error),
  );
  assert.ok(!error.message.includes('\n') && !error.message.endsWith('.'), error.message);
  assertHides(error, expected.secrets ?? []);
  return error;
}

/** Neither in its message nor in its stack nor anywhere in what it holds; it holds no request and no answer as a whole. */
export function assertHides(error: unknown, secrets: readonly string[]): void {
  const shown = [
    inspect(error, { depth: 10, showHidden: true, getters: true }),
    error instanceof Error ? `${error.message}\n${error.stack}` : '',
    JSON.stringify(error, Object.getOwnPropertyNames(error)),
  ].join('\n');
  // As octokit keeps them: what was sent, and what was answered.
  assert.doesNotMatch(shown, /\b(?:request|response|headers): (?:\{|\[Object)/);
  for (const secret of secrets) {
    for (const form of [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)]) {
      assert.ok(!shown.includes(form), `shows a secret: ${shown}`);
    }
  }
}

/** The tests of the contract in the world that `start` makes; each with names of its own. */
export function testForge(called: string, start: () => Promise<ForgeWorld>): void {
  const inWorld = (name: string, body: (world: ForgeWorld) => Promise<void>) =>
    test(`${called}: ${name}`, async () => {
      await using world = await start();
      await body(world);
      world.check();
    });
  const forgeOf = async (world: ForgeWorld, ...tokens: readonly string[]) => {
    const forge = await world.open(new ScriptedCredentials(...tokens));
    assert.ok(forge !== undefined);
    return forge;
  };

  inWorld('a repository is made private and empty, for an organization and for the account itself', async (world) => {
    await using forge = await forgeOf(world, world.tokens.ann);
    assert.equal(forge.kind, world.kind);
    for (const [index, owner] of ['ops', 'ann', 'ANN'].entries()) {
      const name = `prod-_cluster.${index}`;
      assert.equal(await forge.create(placeIn(world.origin, owner, name), {}), 'created');
      const seen = await world.look(owner.toLowerCase(), name);
      assert.deepEqual(
        { isPrivate: seen?.isPrivate, isEmpty: seen?.isEmpty, isDescribed: seen?.description.includes('kubekeeper') },
        { isPrivate: true, isEmpty: true, isDescribed: true },
      );
    }
  });

  inWorld('one that exists is as good and stays as it is', async (world) => {
    await using forge = await forgeOf(world, world.tokens.ann);
    for (const owner of ['ops', 'ann']) {
      const place = placeIn(world.origin, owner, 'prod-shop');
      assert.equal(await forge.create(place, {}), 'created');
      await world.push(place, world.tokens.ann);
      const before = await world.look(owner, 'prod-shop');
      assert.equal(await forge.create(place, {}), 'exists');
      assert.deepEqual(await world.look(owner, 'prod-shop'), before);
    }
  });

  inWorld('an owner that does not exist is named, with what to do', async (world) => {
    await using forge = await forgeOf(world, world.tokens.ann);
    for (const owner of ['nobody', 'bob']) {
      const work = forge.create(placeIn(world.origin, owner, 'prod-shop'), {});
      const error = await refusalOf(work, { code: 'REMOTE_REFUSED', kind: 'stalled', secrets: [world.tokens.ann] });
      assert.match(error.message, new RegExp(`"${owner}" is no organization that these credentials see`));
    }
  });

  inWorld('an account without the right in an organization is told which right', async (world) => {
    await using forge = await forgeOf(world, world.tokens.bob);
    const work = forge.create(placeIn(world.origin, 'ops', 'prod-shop'), {});
    const error = await refusalOf(work, { code: 'REMOTE_REFUSED', kind: 'stalled', secrets: [world.tokens.bob] });
    assert.match(error.message, /the right to create repositories in "ops"/);
    assert.equal(await world.look('ops', 'prod-shop'), undefined);
  });

  inWorld('a token without the scope is told which scope', async (world) => {
    await using forge = await forgeOf(world, world.tokens.withoutScope);
    for (const owner of ['ops', 'ann']) {
      const work = forge.create(placeIn(world.origin, owner, 'prod-shop'), {});
      const secrets = [world.tokens.withoutScope];
      const error = await refusalOf(work, { code: 'REMOTE_REFUSED', kind: 'stalled', secrets });
      assert.match(error.message, world.scope);
    }
  });

  inWorld('a token that is refused is renewed once, and then it counts', async (world) => {
    const [wrong, old] = ['canary0wrong0token', 'canary0old0token'];
    const credentials = new ScriptedCredentials(old, wrong);
    const attempt = async () => {
      await using forge = await world.open(credentials);
      return await forge?.create(placeIn(world.origin, 'ops', 'prod-shop'), {});
    };
    const secrets = [wrong, old];
    await refusalOf(attempt(), { code: 'REMOTE_CREDENTIALS_REFUSED', kind: 'stalled', secrets });
    assert.equal(credentials.renewals, 1);
  });

  inWorld('a token that was replaced in the meantime works without that anybody notices', async (world) => {
    await using forge = await forgeOf(world, 'canary0old0token', world.tokens.ann);
    assert.equal(await forge.create(placeIn(world.origin, 'ops', 'prod-shop'), {}), 'created');
  });

  inWorld('main is protected, once and again', async (world) => {
    await using forge = await forgeOf(world, world.tokens.ann);
    const place = placeIn(world.origin, 'ops', 'prod-shop');
    await forge.create(place, {});
    await world.push(place, world.tokens.ann);
    assert.equal(await forge.protect(place, {}), true);
    assert.equal((await world.look('ops', 'prod-shop'))?.allowsForcePush, false);
    assert.equal(await forge.protect(place, {}), true);
  });

  inWorld("a person's own rule for main is left as it is and told apart", async (world) => {
    await using forge = await forgeOf(world, world.tokens.ann);
    const place = placeIn(world.origin, 'ops', 'prod-shop');
    await forge.create(place, {});
    await world.push(place, world.tokens.ann);
    await world.allowForcePushes('ops', 'prod-shop');
    assert.equal(await forge.protect(place, {}), false);
    assert.equal((await world.look('ops', 'prod-shop'))?.allowsForcePush, true);
  });

  inWorld('who may not protect main is no reason to fail', async (world) => {
    await using owner = await forgeOf(world, world.tokens.ann);
    const place = placeIn(world.origin, 'ops', 'prod-shop');
    await owner.create(place, {});
    await world.push(place, world.tokens.ann);
    await using other = await forgeOf(world, world.tokens.bob);
    assert.equal(await other.protect(place, {}), false);
    assert.equal(await owner.protect(placeIn(world.origin, 'ops', 'missing'), {}), false);
  });

  inWorld('what no forge can make is refused without asking', async (world) => {
    await using forge = await forgeOf(world, world.tokens.ann);
    const refused: readonly (readonly [string, string, RegExp])[] = [
      ['', 'prod-shop', /put an owner into --remote/],
      ['team/ops', 'prod-shop', /a forge has owners and no folders/],
      ['ops', 'prod~shop', /"prod~shop" is no name that a forge takes/],
      ['ops', 'x'.repeat(101), /at most 100/],
      ['o%20ps', 'prod-shop', /"o%20ps" is no name/],
    ];
    for (const [owner, name, words] of refused) {
      const work = forge.create(placeIn(world.origin, owner, name), {});
      const error = await refusalOf(work, { code: 'REMOTE_REFUSED', kind: 'stalled' });
      assert.match(error.message, words);
    }
  });

  inWorld('who gives up gets their own reason', async (world) => {
    await using forge = await forgeOf(world, world.tokens.ann);
    const reason = new Error('stopping');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(
      forge.create(placeIn(world.origin, 'ops', 'prod-shop'), { signal }),
      (error) => error === reason,
    );
  });
}
