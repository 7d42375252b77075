/** Pushes main of a repository to a remote and prints what it took: run alone, so that its memory is its own. */
import { discover } from '../../controller/git/remote/discover.ts';
import { push } from '../../controller/git/remote/push.ts';
import { openTransport } from '../../controller/git/remote/transport.ts';
import { openRepository } from '../../controller/git/repository.ts';

export interface PushReport {
  readonly objects: number;
  readonly bytes: number;
  /** From asking for the refs to the end of the report. */
  readonly seconds: number;
  /** The kernel's highest resident set. */
  readonly peakMebibytes: number;
}

const [, , directory = '', url = ''] = process.argv;
const { signal } = new AbortController();
await using repository = await openRepository(directory, { readOnly: true });
await using transport = openTransport({ variables: {} });
const place = { url, origin: new URL(url).origin, owner: '', name: 'shop' };
const begin = performance.now();
const advertised = await discover({ place, transport }, 'git-receive-pack', signal);
const update = { ref: 'refs/heads/main', from: advertised.refs.get('refs/heads/main'), to: repository.head };
const pushed = await push(repository, { place, transport }, [update], { advertised, signal });
const seconds = (performance.now() - begin) / 1000;
const peakMebibytes = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ ...pushed, seconds, peakMebibytes } satisfies PushReport));
