/** Clones a remote into a directory and prints what it took: run alone, so that its memory is its own. */
import { clone } from '../../controller/git/remote/clone.ts';
import { openTransport } from '../../controller/git/remote/transport.ts';

const [, , url = '', directory = ''] = process.argv;
await using transport = openTransport({ variables: {} });
const place = { url, origin: new URL(url).origin, owner: '', name: 'large' };
const begin = performance.now();
const { objects, bytes } = await clone(directory, { place, transport }, new AbortController().signal);
// The kernel's highest resident set, in KiB.
const peakMebibytes = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ objects, bytes, peakMebibytes, ms: performance.now() - begin }));
