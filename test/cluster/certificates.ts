import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { bits, boolean, der, integer, objectId, octets, sequence, set, utcTime, utf8 } from './der.ts';

/** Certificates (RFC 5280) for one short-lived cluster: P-256 keys, because an RSA key takes longer than a test wants to wait. */

/** Both PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateAuthority extends Certificate {
  /** For clients: Kubernetes reads the user from `name` and its groups from `organizations`. */
  issueClient(name: string, organizations?: readonly string[]): Certificate;
  /** For servers: `hosts` are DNS names and IPv4 addresses. Good for a year from an hour ago, unless told otherwise. */
  issueServer(name: string, hosts: readonly string[], validity?: Validity): Certificate;
}

export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));
const HOUR_MS = 3_600_000;
const LIFETIME_MS = 365 * 24 * HOUR_MS;

export function createAuthority(name: string): CertificateAuthority {
  const { publicKey, privateKey } = generateKey();
  const issuer = distinguishedName(name, []);
  const issue = (subject: Buffer, extensions: readonly Buffer[], validity?: Validity): Certificate => {
    const pair = generateKey();
    const certificate = certify(issuer, privateKey, subject, pair.publicKey, extensions, validity);
    return { certificate, key: pem(pair.privateKey) };
  };
  return {
    certificate: certify(issuer, privateKey, issuer, publicKey, [isAuthority(), keyUsage(0x06, 1)]),
    key: pem(privateKey),
    issueClient: (user, organizations = []) =>
      issue(distinguishedName(user, organizations), [keyUsage(0x80, 7), extendedUsage('1.3.6.1.5.5.7.3.2')]),
    issueServer: (server, hosts, validity) =>
      issue(
        distinguishedName(server, []),
        [keyUsage(0x80, 7), extendedUsage('1.3.6.1.5.5.7.3.1'), alternativeNames(hosts)],
        validity,
      ),
  };
}

/** A server's certificate that nobody but itself vouches for. */
export function createSelfSigned(name: string, hosts: readonly string[]): Certificate {
  const { publicKey, privateKey } = generateKey();
  const subject = distinguishedName(name, []);
  const extensions = [keyUsage(0x80, 7), extendedUsage('1.3.6.1.5.5.7.3.1'), alternativeNames(hosts)];
  return { certificate: certify(subject, privateKey, subject, publicKey, extensions), key: pem(privateKey) };
}

/** A key pair for signing service account tokens, PEM. */
export function createTokenKey(): string {
  return pem(generateKey().privateKey);
}

function generateKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function certify(
  issuer: Buffer,
  issuerKey: KeyObject,
  subject: Buffer,
  subjectKey: KeyObject,
  extensions: readonly Buffer[],
  validity: Validity = { from: new Date(Date.now() - HOUR_MS), until: new Date(Date.now() + LIFETIME_MS) },
): string {
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    issuer,
    sequence(utcTime(validity.from), utcTime(validity.until)),
    subject,
    subjectKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const whole = sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, issuerKey)));
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(name: string, organizations: readonly string[]): Buffer {
  const part = (id: string, value: string) => set(sequence(objectId(id), utf8(value)));
  return sequence(...organizations.map((organization) => part('2.5.4.10', organization)), part('2.5.4.3', name));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value));
}

function isAuthority(): Buffer {
  return extension('2.5.29.19', true, sequence(boolean(true)));
}

function keyUsage(flags: number, unused: number): Buffer {
  return extension('2.5.29.15', true, bits(Buffer.from([flags]), unused));
}

function extendedUsage(purpose: string): Buffer {
  return extension('2.5.29.37', false, sequence(objectId(purpose)));
}

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
  );
  return extension('2.5.29.17', false, sequence(...names));
}

function pem(key: KeyObject): string {
  return key.export({ type: 'sec1', format: 'pem' }).toString();
}
