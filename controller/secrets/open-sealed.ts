import { parseManifestPath } from '../core/manifest.ts';
import type { KubeObject } from '../core/object.ts';
import type { SecretOpener } from '../core/restore/ports.ts';
import { parseSecretValues, type SecretValues } from '../core/secret-values.ts';
import { KeeperError } from '../errors.ts';
import { putGivenValues } from './given-values.ts';
import { leavesOf } from './leaves.ts';
import { readPrivateFile } from './private-file.ts';
import type { Opened } from './sops-open.ts';

/** Makes sealed values whole again, from an identity or from what a person brings. They stay in memory and go to the API server only. */

export interface OpenerOptions {
  /** A file of age identities, for what was archived with `encrypt`. */
  readonly identityFile?: string | undefined;
  /** Values by object and key (see core/secret-values.ts); they win over what could be decrypted. */
  readonly valuesFile?: string | undefined;
}

export interface OpenedSecrets extends SecretOpener {
  /** For the person, once: 'others may read the identity file ...' */
  readonly warnings: readonly string[];
  /** Objects (RESOURCE/NAME) that values were given for and that were not opened: most likely misspelled. */
  unused(): readonly string[];
}

const LARGEST_VALUES = 16 * 1024 * 1024;

/** Reads both files at once. Throws KeeperError IDENTITY_INVALID or USAGE_INVALID; none of them holds a secret. */
export async function openSecretOpener({ identityFile, valuesFile }: OpenerOptions): Promise<OpenedSecrets> {
  // Loaded where it is needed: most restores do without.
  const identities =
    identityFile === undefined ? undefined : await (await import('./identity.ts')).readIdentities(identityFile);
  const { openSops } = await import('./sops-open.ts');
  const given = await readValues(valuesFile);
  const unused = new Set(given.values.keys());
  return {
    warnings: [...(identities?.warnings ?? []), ...given.warnings],
    unused: () => [...unused],
    open: async (object, { path }) => {
      const opened = (await openSops(object, identities)) ?? findStandIns(object);
      const ref = refOf(path, object);
      const values = given.values.get(ref);
      unused.delete(ref);
      const filled = values && putGivenValues(opened.object, ref, values, opened.sealed);
      const closed = opened.closed.filter(({ pointer }) => filled?.given.has(pointer) !== true);
      return { object: filled?.object ?? opened.object, closed };
    },
  };
}

async function readValues(path: string | undefined): Promise<{ values: SecretValues; warnings: readonly string[] }> {
  if (path === undefined) return { values: new Map(), warnings: [] };
  const options = { what: 'file of secret values', largest: LARGEST_VALUES, invalid };
  const { text, warnings } = await readPrivateFile(path, options);
  return { values: parseSecretValues(text, path), warnings };
}

const FINGERPRINT = /^kubekeeper:hmac-sha256:[0-9a-f]{32}$/;

/** What stands for values in a manifest that nobody encrypted. */
function findStandIns(object: KubeObject): Opened {
  const closed: { pointer: string; why: string }[] = [];
  for (const { pointer, value } of leavesOf(object)) {
    if (typeof value !== 'string' || !value.startsWith('kubekeeper:')) continue;
    if (FINGERPRINT.test(value)) closed.push({ pointer, why: 'only a fingerprint is archived' });
    else if (value === 'kubekeeper:omitted') closed.push({ pointer, why: 'it was left out of the archive' });
  }
  return { object, sealed: closed.map(({ pointer }) => pointer), closed };
}

function refOf(path: string, object: KubeObject): string {
  const resource = parseManifestPath(path)?.resource ?? '';
  return `${resource}/${object.metadata.name}`;
}

function invalid(path: string, problem: string): KeeperError {
  return new KeeperError(`The file of secret values "${path}" ${problem}; nothing was changed`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
  });
}
