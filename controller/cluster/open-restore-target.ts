import { type KubeObject, resourceName, stringAt } from '../core/object.ts';
import type { Refused, RestoreTarget, WriteAnswer, WriteOptions } from '../core/restore/ports.ts';
import { KeeperError } from '../errors.ts';
import { isMadeOf, isPatched } from './arrived.ts';
import type { Connection } from './connect.ts';
import { accept, mayDo, throwing, tryParse } from './decided.ts';
import { discover } from './discovery.ts';
import { unparsable } from './errors.ts';
import { asImpersonation, impersonate } from './impersonate.ts';
import { listAll } from './list-all.ts';
import { type Endpoint, resourcePath } from './objects.ts';
import { type Decided, PatientSender } from './patience.ts';
import { notServed, refusedOf, warningsOf } from './refused.ts';

export interface RestoreTargetOptions {
  /** Everything is done with this user's rights, and with none of whoever impersonates. */
  readonly asUser?: string;
  /** Only with `asUser`. */
  readonly asGroups?: readonly string[];
  readonly fieldManager?: string;
  readonly signal?: AbortSignal;
  /** How long what may pass is tried again; 2 minutes. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 120_000;

type Place = { readonly namespace?: string; readonly name: string };

/** Contacts nothing yet. Throws USAGE_INVALID for a user that cannot be impersonated. */
export function openRestoreTarget(connection: Connection, options: RestoreTargetOptions = {}): RestoreTarget {
  const { signal, patienceMs = PATIENCE_MS } = options;
  const headers = impersonate(options.asUser, options.asGroups ?? []);
  const sender = new PatientSender(connection, { headers, signal, patienceMs });
  return new ServerTarget(sender, options.fieldManager ?? 'kubekeeper', options.asUser);
}

class ServerTarget implements RestoreTarget {
  readonly #sender: PatientSender;
  readonly #manager: string;
  readonly #asUser: string | undefined;

  constructor(sender: PatientSender, manager: string, asUser: string | undefined) {
    this.#sender = sender;
    this.#manager = manager;
    this.#asUser = asUser;
  }

  discover: RestoreTarget['discover'] = async (options) => {
    try {
      return await discover(throwing(this.#sender), options);
    } catch (error) {
      throw asImpersonation(error, this.#asUser);
    }
  };

  get: RestoreTarget['get'] = async (resource, place, signal) => {
    const path = resourcePath(resource, place.namespace, place.name);
    const answer = await this.#sender.send(path, signal === undefined ? {} : { signal });
    if (answer.status === 404 || answer.status === 405) return undefined;
    if (answer.status === 403) return 'forbidden';
    return this.#parse('GET', path, accept('GET', path, this.#sender.server, answer));
  };

  list: RestoreTarget['list'] = (resource, where, signal) => listAll(this.#sender, resource, where, signal);

  create: RestoreTarget['create'] = async (resource, object, options) => {
    const namespace = stringAt(object.metadata, 'namespace');
    if (resource.namespaced && namespace === undefined) throw homeless(resource, object);
    const path = resourcePath(resource, namespace);
    const isSecret = isSecretive(resource, options);
    const [answer, warnings] = await this.#write('POST', path, JSON.stringify(object), 'application/json', options);
    if (isOk(answer)) return this.#done('POST', path, answer, isSecret ? [] : warnings);
    if (answer.status === 405) return { ok: false, refused: notServed() };
    const refused = refusedOf(answer, isSecret);
    if (refused.reason !== 'AlreadyExists' || !answer.isRepeat) return { ok: false, refused };
    const place = { ...(namespace === undefined ? {} : { namespace }), name: object.metadata.name };
    return this.#unless(refused, resource, place, options, (live) => isMadeOf(live, object));
  };

  patch: RestoreTarget['patch'] = async (resource, place, operations, options) => {
    const path = resourcePath(resource, place.namespace, place.name);
    const isSecret = isSecretive(resource, options);
    const type = 'application/json-patch+json';
    const [answer, warnings] = await this.#write('PATCH', path, JSON.stringify(operations), type, options);
    if (isOk(answer)) return this.#done('PATCH', path, answer, isSecret ? [] : warnings);
    const refused = refusedOf(answer, isSecret);
    if (!answer.isRepeat) return { ok: false, refused };
    return this.#unless(refused, resource, place, options, (live) => isPatched(live, operations, this.#manager));
  };

  remove: RestoreTarget['remove'] = async (resource, place, options) => {
    const path = resourcePath(resource, place.namespace, place.name);
    const { uid, resourceVersion, propagation, dryRun, signal } = options;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: propagation,
      preconditions,
      ...(dryRun ? { dryRun: ['All'] } : {}),
    });
    const answer = await this.#sender.send(path, {
      method: 'DELETE',
      body,
      ...(signal === undefined ? {} : { signal }),
    });
    const gone = { apiVersion: apiVersionOf(resource), kind: '', metadata: { name: place.name } };
    if (isOk(answer)) return { ok: true, object: tryParse(answer.text) ?? gone };
    const refused = refusedOf(answer, isSecretive(resource, options));
    if (!answer.isRepeat) return { ok: false, refused };
    if (refused.reason === 'NotFound') return { ok: true, object: gone };
    return this.#unless(refused, resource, place, options, (live) => {
      const isOther = uid !== undefined && live.metadata['uid'] !== uid;
      return isOther || live.metadata['deletionTimestamp'] !== undefined;
    });
  };

  may: RestoreTarget['may'] = (resource, verb, place) => mayDo(this.#sender, resource, verb, place);

  /** Unknown fields are refused at first; a server that would drop them says which, and then they are warnings. */
  async #write(
    method: 'POST' | 'PATCH',
    path: string,
    body: string,
    contentType: string,
    { dryRun, signal }: WriteOptions,
  ): Promise<readonly [Decided, readonly string[]]> {
    const send = (validation: 'Strict' | 'Warn') => {
      const query = new URLSearchParams({ fieldManager: this.#manager, fieldValidation: validation });
      if (dryRun) query.set('dryRun', 'All');
      const options = { method, body, contentType, ...(signal === undefined ? {} : { signal }) };
      return this.#sender.send(`${path}?${query}`, options);
    };
    const strict = await send('Strict');
    const isUnknown = (strict.status === 400 || strict.status === 422) && strict.text.includes('strict decoding error');
    const answer = isUnknown ? await send('Warn') : strict;
    return [answer, warningsOf(answer.headers)];
  }

  /** The refusal, unless live shows that an earlier try was carried out. */
  async #unless(
    refused: Refused,
    resource: Endpoint,
    place: Place,
    { dryRun, signal }: WriteOptions,
    hasArrived: (live: KubeObject) => boolean,
  ): Promise<WriteAnswer> {
    const live = dryRun ? undefined : await this.get(resource, place, signal);
    return typeof live === 'object' && hasArrived(live) ? { ok: true, object: live } : { ok: false, refused };
  }

  #done(method: string, path: string, { text }: Decided, warnings: readonly string[]): WriteAnswer {
    return { ok: true, object: this.#parse(method, path, text), warnings };
  }

  #parse(method: string, path: string, text: string): KubeObject {
    const object = tryParse(text);
    if (object !== undefined) return object;
    throw unparsable({ method, path, server: this.#sender.server }, new Error('not an object of Kubernetes'));
  }
}

function homeless(resource: Endpoint, { metadata }: KubeObject): KeeperError {
  return new KeeperError(`${resourceName(resource)}/${metadata.name} has no namespace; it was not sent`, {
    kind: 'defect',
    code: 'DEFECT',
  });
}

function isOk({ status }: Decided): boolean {
  return status >= 200 && status < 300;
}

function isSecretive(resource: Endpoint, options: WriteOptions): boolean {
  return options.isSecret === true || resourceName(resource) === 'secrets';
}

function apiVersionOf({ group, version }: Endpoint): string {
  return group === '' ? version : `${group}/${version}`;
}
