/** What the cluster speaks of: resources (endpoints of the API), objects, and references to them. Plain data. */

declare global {
  /** ECMAScript's JSON.parse source text access, which TypeScript's library does not describe yet. */
  interface JSON {
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
  }
}

/** Any JSON value as `parseJson` gives it: a number may also be a `RawNumber` (see json.ts). */
export type Json = null | boolean | number | string | RawNumber | Json[] | { [key: string]: Json };

/** A number whose text a double cannot hold or would respell; `JSON.rawJSON` made it, its text is kept as the server sent it. */
export interface RawNumber {
  readonly rawJSON: string;
}

export type JsonObject = { [key: string]: Json };

/** A Kubernetes object exactly as the server sent it: raw JSON, no typed model, so unknown fields survive. */
export interface KubeObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export interface ObjectMeta extends JsonObject {
  name: string;
}

/** An endpoint of the API that can be listed and watched. */
export interface Resource {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case plural, as in the URL: 'deployments'. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly singular?: string;
}

/** As kubectl spells a resource: `deployments.apps`, `configmaps`. It is the directory's name in a repository. */
export type ResourceName = string;

export function resourceName(resource: { readonly group: string; readonly plural: string }): ResourceName {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** The inverse of `resourceName`; plurals never hold a dot (they are DNS labels). */
export function parseResourceName(name: ResourceName): { group: string; plural: string } {
  const dot = name.indexOf('.');
  return dot === -1 ? { group: '', plural: name } : { group: name.slice(dot + 1), plural: name.slice(0, dot) };
}

/** The group of an `apiVersion`: 'apps/v1' -> 'apps', 'v1' -> ''. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/** Where one object lives. `namespace` is absent for cluster-scoped objects. */
export interface ObjectRef {
  readonly resource: ResourceName;
  readonly namespace?: string;
  readonly name: string;
}

/** `configmaps/app`, as commit messages and people write it. */
export function renderRef(ref: ObjectRef): string {
  return `${ref.resource}/${ref.name}`;
}

/** The repository of cluster-scoped objects. No namespace can have this name: an underscore is not allowed in one. */
export const CLUSTER_REPOSITORY = '_cluster';

/** The repository that an object is archived in; a Namespace lies in its own. */
export function repositoryOf(ref: ObjectRef): string {
  if (ref.namespace !== undefined) return ref.namespace;
  return ref.resource === 'namespaces' ? ref.name : CLUSTER_REPOSITORY;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** The string at `key` of an object, or undefined: reads foreign JSON without trusting its shape. */
export function stringAt(value: Json | undefined, key: string): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const found = Object.hasOwn(value, key) ? value[key] : undefined;
  return typeof found === 'string' ? found : undefined;
}

/** The object at `key` of an object, or undefined. */
export function objectAt(value: Json | undefined, key: string): JsonObject | undefined {
  if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
  const found = value[key];
  return isJsonObject(found) ? found : undefined;
}

/** The array at `key` of an object, or an empty one. */
export function arrayAt(value: Json | undefined, key: string): readonly Json[] {
  if (!isJsonObject(value) || !Object.hasOwn(value, key)) return [];
  const found = value[key];
  return Array.isArray(found) ? found : [];
}
