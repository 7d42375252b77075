import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRepository } from '../../controller/git/repository.ts';
import { resolve } from '../../controller/git/revision.ts';
import { AUTHOR, manifest, Place } from './bare-repository.ts';

const TAGGER = { name: 'eve <x>\nobject 1', email: 'e ve@x>\n' };

test('a tag is an annotated one that Git shows, lists, peels and finds whole', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  repository.stage('a.json', manifest('a', 1));
  const commit = await repository.commit({ message: 'first', author: AUTHOR, time: new Date(0) });
  const target = commit?.id as string;
  const message = 'Known good\n\nEvidence: tested\n';
  const id = await repository.tag('good/1.4', { target, message, tagger: TAGGER, time: new Date(7000) });
  assert.equal(
    place.git('cat-file', 'tag', 'good/1.4'),
    `object ${target}\ntype commit\ntag good/1.4\ntagger eve x object 1 <eve@x> 7 +0000\n\n${message}`,
  );
  assert.equal(place.git('rev-parse', 'refs/tags/good/1.4').trim(), id);
  assert.equal(repository.ref('refs/tags/good/1.4'), id);
  assert.equal(resolve(repository, 'good/1.4'), target);
  assert.deepEqual(place.lines('tag', '--list', '-n1'), ['good/1.4        Known good']);
  assert.equal(place.git('describe', '--tags', target).trim(), 'good/1.4');
  const tree = await repository.tag('tree', {
    target: commit?.tree as string,
    message: '',
    tagger: AUTHOR,
    time: new Date(0),
  });
  await repository.tag('of-a-tag', { target: tree, message: 'no end', tagger: AUTHOR, time: new Date(0) });
  assert.equal(place.git('rev-parse', 'of-a-tag^{}').trim(), commit?.tree);
  place.fsck();
  await repository.consolidate({ full: true });
  place.fsck();
});

test('a tag that exists stays as it is; one that Git would not take, or of nothing, is refused', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  repository.stage('a.json', '1');
  const target = (await repository.commit({ message: 'first', author: AUTHOR, time: new Date(0) }))?.id as string;
  const tag = { target, message: 'x', tagger: AUTHOR, time: new Date(0) };
  await repository.tag('good/1', tag);
  place.git('tag', 'light', target);
  place.git('pack-refs', '--all');
  const before = place.git('for-each-ref');
  for (const name of ['good/1', 'light', 'good', 'good/1/2', '', '-d', 'a b', '../x', 'x.lock', 'a..b', '@{1}']) {
    await assert.rejects(
      repository.tag(name, tag),
      { code: 'REQUEST_REFUSED', kind: 'invalid-input' },
      JSON.stringify(name),
    );
  }
  await assert.rejects(repository.tag('good/2', { ...tag, target: '1'.repeat(40) }), { code: 'REQUEST_REFUSED' });
  assert.equal(place.git('for-each-ref'), before);
  place.fsck();
});

test('tags, notes, refs, commits, spills and merges of packs asked for at once are all made', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  repository.stage('a.json', '0');
  const root = (await repository.commit({ message: 'root', author: AUTHOR, time: new Date(0) }))?.id as string;
  const work: Promise<unknown>[] = [];
  const by = { author: AUTHOR, time: new Date(0) };
  for (let k = 0; k < 40; k++) {
    repository.stage(`x/${k}.json`, manifest('x', k));
    if (k % 7 === 0) work.push(repository.spill());
    work.push(repository.commit({ message: `${k}`, ...by }, new Set([`x/${k}.json`])));
    work.push(repository.tag(`good/${k}`, { target: root, message: 'x', tagger: AUTHOR, time: new Date(0) }));
    work.push(repository.note(root, `note ${k}\n`, by));
    work.push(repository.updateRef(`refs/remotes/origin/${k}`, { from: undefined, to: root }));
    if (k % 10 === 9) work.push(repository.consolidate({ full: k % 20 === 9 }));
  }
  await Promise.all(work);
  place.fsck();
  assert.equal(place.lines('rev-list', 'main').length, 41);
  assert.equal(place.lines('tag').length, 40);
  assert.equal(place.lines('rev-list', 'refs/notes/data').length, 40);
  assert.equal(place.lines('for-each-ref', 'refs/remotes').length, 40);
  assert.equal(repository.readNote(root), 'note 39\n');
  assert.ok(repository.store.packs.length <= 50, `${repository.store.packs.length} packs`);
});
