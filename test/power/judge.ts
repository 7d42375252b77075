import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Files, Promised } from './history.ts';
import { type ObjectStore, openRepository, parseCommit } from './repositories.ts';

/** Opens what a cut left and holds it against what was promised; throws when a promise is broken. */
export async function judge(directory: string, promised: Promised): Promise<void> {
  await using repository = await openRepository(directory, { autoConsolidate: false });
  requirePromised(repository, promised);
  await goOn(repository, promised);
}

/** The same through the eyes of a reader beside the writer. */
export async function judgeAsReader(directory: string, promised: Promised): Promise<void> {
  await using repository = await openRepository(directory, { readOnly: true });
  requirePromised(repository, promised);
}

type Opened = Awaited<ReturnType<typeof openRepository>>;

function requirePromised(repository: Opened, promised: Promised): void {
  const { store } = repository;
  const head = repository.head;
  const seen = new Set<string>();
  if (head !== promised.head) {
    assert.ok(promised.next !== undefined && head !== undefined, 'an acknowledged commit is lost');
    const { parents } = parseCommit(store.readAs('commit', head));
    assert.deepEqual(parents, promised.head === undefined ? [] : [promised.head], 'the branch is elsewhere');
    assert.deepEqual(filesAt(store, head), sorted(promised.next), 'the commit under way is torn');
  } else if (head !== undefined) assert.deepEqual(filesAt(store, head), sorted(promised.files));
  if (head !== undefined) requireWhole(store, head, seen);
  const refs = repository.refs();
  for (const [ref, id] of promised.refs) {
    if (ref !== promised.moving) assert.equal(refs.get(ref), id, `${ref} is lost`);
    else assert.ok(refs.has(ref), `${ref} is lost while it moved`);
  }
  for (const [, id] of refs) requireWhole(store, id, seen);
}

/** What was opened can be written to. */
async function goOn(repository: Opened, promised: Promised): Promise<void> {
  repository.stage('configmaps/after.json', `{"after":"${promised.head}"}\n`);
  const author = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };
  const result = await repository.commit({ message: 'after\n', author, time: new Date(1_800_000_000_000) });
  assert.equal(repository.head, result?.id);
}

function filesAt(store: ObjectStore, commit: string): Files {
  const files = new Map<string, string>();
  collect(store, parseCommit(store.readAs('commit', commit)).tree, '', files);
  return sorted(files);
}

function collect(store: ObjectStore, tree: string, prefix: string, files: Map<string, string>): void {
  for (const { isTree, name, id } of entriesOf(store.readAs('tree', tree))) {
    if (isTree) collect(store, id, `${prefix}${name}/`, files);
    else files.set(prefix + name, store.readAs('blob', id).toString());
  }
}

function sorted(files: Files): Files {
  return new Map([...files].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Everything that can be reached is there and is what its name says. */
function requireWhole(store: ObjectStore, id: string, seen: Set<string>): void {
  const open = [id];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const { type, content } = store.read(at);
    const hash = createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
    assert.equal(hash, at, `object ${at} is not what its name says`);
    if (type === 'commit') {
      const { tree, parents } = parseCommit(content);
      open.push(tree, ...parents);
    } else if (type === 'tree') open.push(...entriesOf(content).map((entry) => entry.id));
    else if (type === 'tag')
      open.push((/^object ([0-9a-f]{40})$/m.exec(content.toString()) as RegExpExecArray)[1] as string);
  }
}

function entriesOf(tree: Buffer): { isTree: boolean; name: string; id: string }[] {
  const entries = [];
  for (let at = 0; at < tree.length; ) {
    const [blank, end] = [tree.indexOf(0x20, at), tree.indexOf(0, at)];
    const name = tree.toString('utf8', blank + 1, end);
    const id = tree.toString('hex', end + 1, end + 21);
    entries.push({ isTree: tree.toString('latin1', at, blank) === '40000', name, id });
    at = end + 21;
  }
  return entries;
}
