import type { Frame } from './read-profile.ts';

/** What time is spent on, by the source of a frame; the first that fits. Native frames count for who called them. */
const BY_SOURCE: readonly (readonly [string, RegExp])[] = [
  ['deflate (zlib)', /^node:zlib/],
  ['hashes and keys', /^node:internal\/crypto|@noble\/hashes/],
  ['JSON', /controller\/core\/json\.ts$/],
  ['rules, sanitising, messages', /controller\/core\//],
  ['secrets', /controller\/secrets\//],
  ['the store', /controller\/git\//],
  ['the archive flow', /controller\/archive\/|controller\/compose\.ts/],
  ['files', /^node:fs|^node:internal\/fs|^node:path/],
  [
    'network, TLS, lists',
    /undici|controller\/cluster\/|client-node|^node:(internal\/)?(tls|net|http|dns|stream|streams|web)|_tls_|^node:internal\/(tls|stream)/,
  ],
  [
    'loading the program',
    /^node:internal\/(modules|vm|bootstrap|process\/(esm|pre)|deps|source_map|main)|^wasm:|^lib\/wasm|controller\/(cli|main|config)|bin\/|node_modules\//,
  ],
];

export const WAITING = 'waiting (API server, disk)';

const BY_NAME = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(idle)', WAITING],
  ['(program)', "Node's own native code"],
]);

/** The category of a frame. */
export function categoryOf(frame: Frame): string {
  const byName = BY_NAME.get(frame.name);
  if (byName !== undefined) return byName;
  const source = frame.url === '' ? frame.callerUrl : frame.url;
  return BY_SOURCE.find(([, pattern]) => pattern.test(source))?.[0] ?? 'timers, buffers, events of Node';
}

/** A name that means the same on every machine: no directories above the project. */
export function frameLabel({ name, url, callerUrl, callerName }: Frame): string {
  if (BY_NAME.has(name)) return name;
  return url === '' ? `${name} (native) in ${callerName} ${shortSource(callerUrl)}` : `${name} ${shortSource(url)}`;
}

function shortSource(url: string): string {
  return /(?:node:.*|(?:node_modules|controller|bin)\/.*)$/.exec(url)?.[0] ?? 'generated code';
}
