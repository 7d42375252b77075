import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { parseJson } from '../../controller/core/json.ts';
import type { JsonObject, KubeObject } from '../../controller/core/object.ts';
import { renderPointer } from '../../controller/core/pointer.ts';
import type { Sealer } from '../../controller/core/ports.ts';
import { openSealer } from '../../controller/secrets/seal.ts';

/** What the tests of sealing share: a data directory, objects, and sealers on them. */

export interface Directory extends AsyncDisposable {
  readonly path: string;
}

export async function makeDirectory(): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), 'kubekeeper-secrets-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface Person {
  /** The private key, as sops takes it. */
  readonly identity: string;
  readonly recipient: string;
}

export async function makePerson(): Promise<Person> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

export const place = { repository: 'shop', path: 'secrets/database.json' };
export const noon = Date.UTC(2026, 0, 2, 12);

/** An encrypting sealer, as a controller that just started. */
export function openEncrypting(directory: Directory, people: readonly Person[], now = () => noon): Promise<Sealer> {
  const recipients = people.map((person) => person.recipient);
  return openSealer({ policy: 'encrypt', dataDirectory: directory.path, recipients, now });
}

export function openFingerprinting(directory: Directory): Promise<Sealer> {
  return openSealer({ policy: 'fingerprint', dataDirectory: directory.path, recipients: [] });
}

/** Seals with the rules' pointers of a Secret or those given; `previous` is the archived text. */
export function seal(
  sealer: Sealer,
  object: KubeObject,
  { secrets = pointersOf(object), previous }: { secrets?: readonly string[]; previous?: string } = {},
): Promise<string> {
  return sealer.seal(object, place, secrets, async () => previous);
}

export function makeSecret(data: JsonObject, metadata: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'database', namespace: 'shop', ...metadata },
    type: 'Opaque',
    data,
  };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The values under `data` of a sealed file. */
export function dataOf(text: string): { [key: string]: string } {
  return (parseJson(text) as unknown as { data: { [key: string]: string } }).data;
}

function pointersOf(object: KubeObject): string[] {
  return Object.keys(object['data'] as JsonObject).map((key) => renderPointer(['data', key]));
}
