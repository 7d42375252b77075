import { createPrivateKey, type KeyObject } from 'node:crypto';
import { isLoopback } from '../core/remote.ts';
import { isCertificates } from './dispatcher.ts';
import { invalidCredentials } from './errors.ts';

/** The keys of a Secret with their decoded values, and how a person finds one of them. */
export interface Keys {
  readonly values: ReadonlyMap<string, string>;
  /** `file "/run/secrets/git/token"`, `key "token" of Secret "ops/git"`. */
  nameOf(key: string): string;
  /** The whole of it: `directory "/run/secrets/git"`. */
  readonly name: string;
}

/** What the keys say. */
export type Material = { readonly authority?: string } & (
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | ({ readonly kind: 'app' } & AppKeys)
);

export interface AppKeys {
  /** The App's ID or its client ID. */
  readonly appId: string;
  readonly privateKey: KeyObject;
  readonly installationId?: number;
  /** Whose installation it is, when its ID is not given. */
  readonly installationOwner?: string;
  /** The API, without a slash at the end, when it is not the one that belongs to the remote. */
  readonly baseUrl?: string;
}

const TOKENS = ['token', 'bearerToken'] as const;
const APP = ['githubAppID', 'githubAppPrivateKey'] as const;
const AUTHORITIES = ['ca.crt', 'caFile'] as const;
const SSH = ['identity', 'sshPrivateKey', 'ssh-privatekey'] as const;

/** What a header can carry as a token: b64token of RFC 6750, 2.1. All forges' tokens are. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * Reads the keys that users know from Flux and Argo CD; what else lies beside them is left alone. One kind of proof only, because
 * which one is meant is not ours to guess. Throws KeeperError REMOTE_CREDENTIALS_INVALID, which names the key and never shows a value.
 */
export function parseKeys(keys: Keys): Material {
  const authority = authorityOf(keys);
  const kinds = [
    ...TOKENS.filter((key) => keys.values.has(key)),
    ...(keys.values.has('password') ? ['password'] : []),
    ...(APP.some((key) => keys.values.has(key)) ? ['githubAppID'] : []),
  ];
  const [kind, other] = kinds;
  if (kind === undefined) throw nothingKnown(keys);
  if (other !== undefined) throw invalidCredentials(keys.name, `"${kind}" and "${other}" are both there, keep one`);
  return { ...materialOf(keys, kind), ...(authority === undefined ? {} : { authority }) };
}

function materialOf(keys: Keys, kind: string): Material {
  if (kind === 'githubAppID') return { kind: 'app', ...appKeysOf(keys) };
  if (kind !== 'bearerToken' && keys.values.has('username')) {
    const username = lineOf(keys, 'username');
    // RFC 7617, 2: the first colon ends it.
    if (username.includes(':')) throw invalidCredentials(keys.nameOf('username'), 'a colon cannot be in it');
    return { kind: 'basic', username, password: lineOf(keys, kind) };
  }
  const token = lineOf(keys, kind);
  if (TOKEN.test(token)) return { kind: 'token', token };
  const advice = kind === 'password' ? ', and a password needs "username" beside it' : '';
  throw invalidCredentials(keys.nameOf(kind), `it has characters that no token has${advice}`);
}

function appKeysOf(keys: Keys): AppKeys {
  const [appId, installationId] = [lineOf(keys, 'githubAppID'), optionalLineOf(keys, 'githubAppInstallationID')];
  if (!/^[A-Za-z0-9._-]+$/.test(appId)) throw invalidCredentials(keys.nameOf('githubAppID'), 'it is no ID of an App');
  if (installationId !== undefined && !/^\d{1,15}$/.test(installationId)) {
    throw invalidCredentials(keys.nameOf('githubAppInstallationID'), 'it is no number');
  }
  const installationOwner = optionalLineOf(keys, 'githubAppInstallationOwner');
  const baseUrl = baseUrlOf(keys, 'githubAppBaseURL') ?? baseUrlOf(keys, 'githubAppEnterpriseBaseUrl');
  return {
    appId,
    privateKey: privateKeyOf(keys, 'githubAppPrivateKey'),
    ...(installationId === undefined ? {} : { installationId: Number(installationId) }),
    ...(installationOwner === undefined ? {} : { installationOwner }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  };
}

/** RSA, because GitHub takes RS256 only. */
function privateKeyOf(keys: Keys, key: string): KeyObject {
  const text = textOf(keys, key);
  try {
    const privateKey = createPrivateKey(text);
    if (privateKey.asymmetricKeyType === 'rsa') return privateKey;
  } catch {
    // OpenSSL's words help nobody here.
  }
  throw invalidCredentials(keys.nameOf(key), 'it is no RSA private key in PEM as GitHub gives it to download');
}

function baseUrlOf(keys: Keys, key: string): string | undefined {
  const text = optionalLineOf(keys, key);
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (url === undefined || !isSafe || url.username !== '' || url.password !== '' || url.search !== '') {
    throw invalidCredentials(keys.nameOf(key), 'it is no address such as https://github.example.com/api/v3');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function authorityOf(keys: Keys): string | undefined {
  const key = AUTHORITIES.find((one) => keys.values.has(one));
  if (key === undefined) return undefined;
  const pem = textOf(keys, key);
  if (!isCertificates(pem)) throw invalidCredentials(keys.nameOf(key), 'it is no certificate in PEM');
  return pem;
}

function nothingKnown(keys: Keys): Error {
  const known = 'token, username and password, or githubAppID with githubAppPrivateKey';
  const isSsh = SSH.some((key) => keys.values.has(key));
  return invalidCredentials(keys.name, `${isSsh ? 'SSH is not spoken, ' : ''}it holds none of ${known}`);
}

function optionalLineOf(keys: Keys, key: string): string | undefined {
  return keys.values.has(key) ? lineOf(keys, key) : undefined;
}

/** One line; editors and `kubectl create secret --from-file` leave a line end behind it. */
function lineOf(keys: Keys, key: string): string {
  const line = textOf(keys, key).replace(/(?:\r?\n)+$/, '');
  if (line.trim() === '') throw invalidCredentials(keys.nameOf(key), 'it is empty');
  if (/[\r\n]/.test(line)) throw invalidCredentials(keys.nameOf(key), 'it has several lines');
  if (/\p{Cc}/u.test(line)) throw invalidCredentials(keys.nameOf(key), 'it has control characters');
  return line;
}

function textOf(keys: Keys, key: string): string {
  const value = keys.values.get(key);
  if (value === undefined) throw invalidCredentials(keys.name, `"${key}" is missing`);
  if (value.includes('\0')) throw invalidCredentials(keys.nameOf(key), 'it has NUL characters');
  if (value.includes('\ufffd')) throw invalidCredentials(keys.nameOf(key), 'it is no text in UTF-8');
  return value;
}
