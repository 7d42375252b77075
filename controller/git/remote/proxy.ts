import { BlockList, isIP, isIPv4 } from 'node:net';
import { KeeperError } from '../../errors.ts';

/** The variables that curl, Git and Go read; the spelling in small letters wins. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL, undefined for a direct connection. NO_PROXY holds names (with all names below them), addresses
 * and networks in CIDR form, each with an optional port, or `*`. Plain http is spoken with loopback alone and never goes
 * through a proxy, which would see the credentials. Throws KeeperError REMOTE_INVALID for what is no http(s) proxy.
 */
export function proxyFor(url: URL, variables: ProxyVariables): URL | undefined {
  if (url.protocol !== 'https:') return undefined;
  const [name, text] = firstOf(variables, ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']);
  if (text === undefined) return undefined;
  const [, excluded = ''] = firstOf(variables, ['no_proxy', 'NO_PROXY']);
  return excluded.split(/[\s,]+/).some((entry) => isExcluded(url, entry)) ? undefined : parseProxy(name, text);
}

function firstOf(variables: ProxyVariables, names: readonly string[]): [string, string] | [string, undefined] {
  for (const name of names) {
    const value = variables[name]?.trim();
    if (value !== undefined && value !== '') return [name, value];
  }
  return ['', undefined];
}

function parseProxy(name: string, text: string): URL {
  const whole = text.includes('://') ? text : `http://${text}`;
  if (URL.canParse(whole)) {
    const proxy = new URL(whole);
    if (proxy.protocol === 'http:' || proxy.protocol === 'https:') return proxy;
  }
  // The text may hold a password: it is not shown.
  throw new KeeperError(`Cannot use ${name}: it is no URL such as http://proxy.example:3128; nothing was sent`, {
    kind: 'invalid-input',
    code: 'REMOTE_INVALID',
  });
}

function isExcluded(url: URL, entry: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*|[0-9a-f:/]+))(?::(\d+))?$/i.exec(entry) ?? [];
  if (port !== undefined && port !== (url.port === '' ? '443' : url.port)) return false;
  const name = (bracketed ?? plain ?? entry).toLowerCase().replace(/^\*?\./, '');
  if (isIP(host) !== 0) return isInNetwork(host, name);
  return name !== '' && (host === name || host.endsWith(`.${name}`));
}

function isInNetwork(address: string, network: string): boolean {
  const [base = '', bits, rest] = network.split('/');
  if (isIP(base) === 0 || rest !== undefined) return false;
  const family = isIPv4(base) ? 'ipv4' : 'ipv6';
  const longest = family === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > longest) return false;
  const list = new BlockList();
  list.addSubnet(base, prefix, family);
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
