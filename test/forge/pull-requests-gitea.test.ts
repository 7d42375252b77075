import { randomBytes } from 'node:crypto';
import { after, before } from 'node:test';
import { openForge } from '../../controller/forge/open-forge.ts';
import { placeIn, ScriptedCredentials } from './forge-contract.ts';
import { openPerson } from './git-person.ts';
import { type Gitea, startGitea } from './gitea.ts';
import { GiteaPulls } from './gitea-pulls.ts';
import { type PullWorld, testPullRequests } from './pull-requests-contract.ts';

let gitea: Gitea;
let tokens: PullWorld['tokens'];

before(async () => {
  gitea = await startGitea();
  const [ann, , cleo] = [await gitea.createUser('ann'), await gitea.createUser('bob'), await gitea.createUser('cleo')];
  await gitea.createOrganization('ops', ['ann', 'bob']);
  tokens = {
    ann: await ann.createToken('write:repository', 'write:issue', 'write:organization', 'read:user'),
    cleo: await cleo.createToken(),
    withoutScope: await ann.createToken('read:repository'),
  };
});

after(() => gitea[Symbol.asyncDispose]());

/** One Gitea for all, and a repository for each. */
async function startWorld(): Promise<PullWorld> {
  const { origin, authority } = gitea;
  const place = placeIn(origin, 'ops', `prod-${randomBytes(4).toString('hex')}`);
  const open: PullWorld['open'] = (credentials) =>
    openForge({ kind: 'auto', origin, credentials, ca: authority, proxyFor: () => undefined });
  await using forge = await open(new ScriptedCredentials(tokens.ann));
  await forge?.create(place, {});
  const person = await openPerson(authority, { kind: 'token', token: tokens.ann });
  await person.git('push', '--quiet', place.url, 'main');
  const people = new GiteaPulls(gitea, place);
  await people.untilSeen('main', (await person.git('rev-parse', 'main')).trim());
  let commits = 0;
  return {
    tokens,
    scope: /give the token the scopes "write:repository" and "write:issue"/,
    place,
    open,
    push: async (branch) => {
      await person.git('checkout', '--quiet', branch).catch(() => person.git('checkout', '-q', '-b', branch, 'main'));
      const id = await person.commit('restore', { 'a.json': `{"a":${++commits}}\n` });
      await person.git('push', '--quiet', place.url, branch);
      await people.untilSeen(branch, id);
      return id;
    },
    pushAll: async (branches) => {
      const ids: string[] = [];
      for (const branch of branches) {
        await person.git('checkout', '--quiet', '-b', branch, 'main');
        ids.push(await person.commit('restore', { 'a.json': `{"a":${++commits}}\n` }));
      }
      await person.git('push', '--quiet', place.url, ...branches);
      for (const [at, branch] of branches.entries()) await people.untilSeen(branch, ids[at] ?? '');
    },
    review: (number, verdict) => people.review(number, 'bob', verdict),
    dismiss: (number) => people.dismissAll(number),
    merge: (number, how, options) => people.merge(number, 'bob', how, options),
    close: (number) => people.close(number),
    comment: (number, body) => people.comment(number, 'bob', body),
    check: () => undefined,
    [Symbol.asyncDispose]: async () => {
      person[Symbol.dispose]();
      await gitea.ask('DELETE', `/repos/ops/${place.name}`);
    },
  };
}

testPullRequests('Gitea', startWorld);
