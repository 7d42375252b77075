import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { databaseRoot } from './debian.ts';
import { pod } from './objects.ts';
import { missingForNode } from './requirements.ts';
import { startTestNode } from './test-node.ts';

const skip = await missingForNode('mmdebstrap');

const IMAGE = 'kubekeeper.dev/test/mariadb:1';
const START = `
  mkdir -p /run/mysqld && chown mysql /run/mysqld /data
  [ -d /data/mysql ] || mariadb-install-db --user=mysql --datadir=/data > /dev/null
  exec mariadbd --user=mysql --datadir=/data`;

test('a real MariaDB of Debian runs in a pod, and a snapshot of its claim holds its rows', { skip }, async () => {
  const root = await databaseRoot();
  await using world = await startTestNode();
  await world.node.image(IMAGE, { root, command: ['sh', '-c', START] });
  await world.createNamespace('shop');
  const run = async (name: string, claim: string) => {
    const { spec, ...rest } = pod('shop', name, IMAGE, []) as { spec: { containers: object[] } };
    const [container] = spec.containers;
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: claim } }];
    const containers = [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }];
    await world.cluster.apply({ ...rest, spec: { ...spec, containers, volumes } });
    await world.node.waitForPod('shop', name);
    const deadline = performance.now() + 60_000;
    const ask = async (sql: string) => (await world.node.exec('shop', name, ['mariadb', '-Ne', sql])).trim();
    for (;;) {
      const isUp = await ask('select 1').catch((error: Error) => error);
      if (isUp === '1') return ask;
      assert.ok(performance.now() < deadline, String(isUp));
      await sleep(200);
    }
  };
  await world.createClaim('shop', 'data', { bytes: 2 ** 30 });
  const ask = await run('before', 'data');
  await ask(
    'create database menagerie; create table menagerie.pet (name varchar(20)); insert into menagerie.pet values ("Puffball")',
  );
  const sum = await ask('checksum table menagerie.pet');
  await world.snapshot('shop', 'first', 'data');
  await ask('insert into menagerie.pet values ("Fluffy")');
  assert.notEqual(await ask('checksum table menagerie.pet'), sum);
  await world.createClaim('shop', 'again', { bytes: 2 ** 30, snapshot: 'first' });
  const askAgain = await run('after', 'again');
  assert.equal(await askAgain('checksum table menagerie.pet'), sum);
});
