import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../controller/errors.ts';
import { requireTaken } from '../../controller/git/remote/push-verdict.ts';
import { openTransport } from '../../controller/git/remote/transport.ts';

const MAIN = 'refs/heads/main';
const TAG = 'refs/tags/good/1';
const UPDATES = [MAIN, TAG].map((ref) => ({ ref, from: undefined, to: 'a'.repeat(40) }));
const PLACE = { url: 'https://git.example/ops/shop.git', origin: 'https://git.example', owner: 'ops', name: 'shop' };

interface Case {
  readonly what: string;
  readonly unpack?: string;
  /** Of main; undefined: it was moved. */
  readonly main?: string;
  readonly tag?: string;
  readonly said?: string;
  readonly verdict: string;
  readonly words?: RegExp;
}

/** As git 2.39 to 2.50, GitHub, GitLab and Gitea word it. */
const CASES: readonly Case[] = [
  { what: 'all moved', verdict: 'taken' },
  { what: 'behind the remote', main: 'non-fast-forward', verdict: 'REMOTE_DIVERGED stalled' },
  { what: 'behind a forge', main: 'fetch first', verdict: 'REMOTE_DIVERGED stalled' },
  {
    what: 'moved meanwhile, told in the reason',
    main: `cannot lock ref '${MAIN}': is at ${'b'.repeat(40)} but expected ${'a'.repeat(40)}`,
    verdict: 'REMOTE_DIVERGED stalled',
  },
  {
    what: 'moved meanwhile, told beside it',
    main: 'failed to update ref',
    said: `error: cannot lock ref '${MAIN}': is at ${'b'.repeat(40)} but expected ${'a'.repeat(40)}\n`,
    verdict: 'REMOTE_DIVERGED stalled',
  },
  {
    what: 'created meanwhile',
    main: 'failed to update ref',
    said: `error: cannot lock ref '${MAIN}': reference already exists\n`,
    verdict: 'REMOTE_DIVERGED stalled',
  },
  {
    what: 'a lock in the way',
    main: 'failed to update ref',
    said: `error: cannot lock ref '${MAIN}': Unable to create 'main.lock': File exists.\n`,
    verdict: 'REMOTE_REFUSED transient',
    words: /Unable to create/,
  },
  { what: 'trouble at a forge', main: 'Internal Server Error', verdict: 'REMOTE_REFUSED transient' },
  {
    what: 'a hook, which wins over what was refused for its sake',
    main: 'atomic push failure',
    tag: 'hook declined',
    said: 'no tags on Sundays\n',
    verdict: 'REMOTE_REFUSED stalled',
    words: /refs\/tags\/good\/1: hook declined: no tags on Sundays/,
  },
  {
    what: 'a protected branch',
    main: 'protected branch hook declined',
    said: 'error: GH006: Protected branch update failed for refs/heads/main.\n',
    verdict: 'REMOTE_REFUSED stalled',
    words: /GH006/,
  },
  {
    what: 'a hook that speaks of locks',
    main: 'pre-receive hook declined',
    said: 'branch locked',
    verdict: 'REMOTE_REFUSED stalled',
  },
  {
    what: 'no space',
    unpack: 'unpack-objects abnormal exit',
    main: 'unpacker error',
    tag: 'unpacker error',
    said: 'fatal: write error: No space left on device\n',
    verdict: 'REMOTE_REFUSED transient',
    words: /No space left/,
  },
  { what: 'killed', unpack: 'index-pack abnormal exit', main: 'unpacker error', verdict: 'REMOTE_REFUSED transient' },
  {
    what: 'too large',
    unpack: 'index-pack abnormal exit',
    main: 'unpacker error',
    said: 'fatal: pack exceeds maximum allowed size (2.00 KiB)\n',
    verdict: 'REMOTE_REFUSED stalled',
  },
  {
    what: 'an object that a check of theirs refuses',
    unpack: 'index-pack abnormal exit',
    main: 'unpacker error',
    said: 'error: object 1: hasDotgit\nfatal: fsck error in packed object\n',
    verdict: 'REMOTE_REFUSED stalled',
  },
];

for (const { what, unpack = 'ok', main, tag, said = '', verdict, words } of CASES) {
  test(`an answer of the remote is understood: ${what}`, async () => {
    await using transport = openTransport({ variables: {} });
    const refs = new Map([
      [MAIN, main],
      [TAG, tag],
    ]);
    const error = thrownBy(() => requireTaken({ place: PLACE, transport }, UPDATES, { unpack, refs, said }));
    assert.equal(error === undefined ? 'taken' : `${error.code} ${error.kind}`, verdict);
    if (words !== undefined) assert.match(error?.message ?? '', words);
  });
}

test('a report that leaves out a ref is no success', async () => {
  await using transport = openTransport({ variables: {} });
  const report = { unpack: 'ok', refs: new Map([[MAIN, undefined]]), said: '' };
  const error = thrownBy(() => requireTaken({ place: PLACE, transport }, UPDATES, report));
  assert.equal(error?.code, 'REMOTE_UNREACHABLE');
});

function thrownBy(work: () => void): KeeperError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof KeeperError);
    return error;
  }
}
