import { openTestQuiescer } from './hooks-world.ts';

/** A process of its own that holds a namespace and never lets go: `node holding-child.ts OPTIONS NAMESPACE CLAIM...`. Killed by a test. */

const [options = '{}', namespace = '', ...claims] = process.argv.slice(2);
const quiescer = await openTestQuiescer(JSON.parse(options));
const pods = await quiescer.podsOf(namespace);
await quiescer.hold(namespace, { pods, claims }, new AbortController().signal);
process.stdout.write('holds\n');
setInterval(() => undefined, 1000);
