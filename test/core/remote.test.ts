import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRemoteTemplate } from '../../controller/core/remote.ts';
import { KeeperError } from '../../controller/errors.ts';

/** The template of --remote: what it makes of names, and what it refuses before anything is sent anywhere. */

test('places of the cluster and of a namespace', () => {
  const template = parseRemoteTemplate('https://git.example:8443/ops/k8s/{cluster}-{namespace}.git');
  assert.equal(template.origin, 'https://git.example:8443');
  assert.deepEqual(template.place({ cluster: 'prod', repository: 'shop' }), {
    url: 'https://git.example:8443/ops/k8s/prod-shop.git',
    origin: 'https://git.example:8443',
    owner: 'ops/k8s',
    name: 'prod-shop',
  });
  assert.equal(template.place({ cluster: 'prod', repository: '_cluster' }).name, 'prod-_cluster');
  assert.equal(template.place({ cluster: 'prod', repository: 'shop.1a2b3c4d' }).name, 'prod-shop.1a2b3c4d');
});

test('a template without .git and with the cluster as a folder', () => {
  const place = parseRemoteTemplate('http://127.0.0.1:3000/{cluster}/{namespace}').place({
    cluster: 'c',
    repository: 'n',
  });
  assert.deepEqual(place, { url: 'http://127.0.0.1:3000/c/n', origin: 'http://127.0.0.1:3000', owner: 'c', name: 'n' });
});

for (const [what, text, says] of [
  ['a password', 'https://me:s3cret@git.example/{namespace}.git', /--remote-credentials/],
  ['a user', 'https://token-s3cret@git.example/{namespace}.git', /--remote-credentials/],
  ['plain http to another host', 'http://git.example/{namespace}.git', /use https/],
  ['a host that only begins like loopback', 'http://127.0.0.1.git.example/{namespace}.git', /use https/],
  ['ssh', 'ssh://git.example/{namespace}.git', /not http or https/],
  ['no URL', 'git@git.example:ops/{namespace}', /no URL/],
  ['no place for the namespace', 'https://git.example/ops/all.git', /\{namespace\}/],
  ['the namespace as a folder only', 'https://git.example/{namespace}/all.git', /last part/],
  ['an unknown placeholder', 'https://git.example/{name}-{namespace}.git', /\{name\}/],
  ['a placeholder in the host', 'https://{cluster}.example/{namespace}.git', /host/],
  ['a query', 'https://git.example/{namespace}.git?token=s3cret', /query/],
] as const) {
  test(`refused: ${what}; the error shows nothing of it`, () => {
    assert.throws(
      () => parseRemoteTemplate(text),
      (error: unknown) =>
        error instanceof KeeperError &&
        error.code === 'REMOTE_INVALID' &&
        says.test(error.message) &&
        !error.message.includes('s3cret'),
    );
  });
}

test('what was refused once is refused again', () => {
  const parse = () => parseRemoteTemplate('https://{cluster}.example/{namespace}.git');
  assert.throws(parse, /host/);
  assert.throws(parse, /host/);
});
