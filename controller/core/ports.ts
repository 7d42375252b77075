import type { Change } from './change.ts';
import type { KubeObject, Resource, ResourceName } from './object.ts';
import type { RemotePlace } from './remote.ts';

/** What the flows need of the world. Contracts, not lists: an implementation and a scripted one in tests obey the same words. */

/** What the cluster serves, in the versions chosen for the archive. */
export interface Catalogue {
  readonly resources: readonly Resource[];
  /** Groups that are registered but do not answer; nothing of theirs may be taken for deleted. */
  readonly unavailable: readonly { readonly group: string; readonly version: string; readonly reason: string }[];
  /** All served versions of each resource, the preferred one first. */
  readonly served: ReadonlyMap<ResourceName, readonly string[]>;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** End after the first complete list; a failure is thrown instead of retried. */
  readonly once?: boolean;
}

export interface Cluster {
  /** The first catalogue, or a KeeperError when the cluster cannot be reached. */
  discover(options: {
    readonly signal?: AbortSignal;
    readonly pinned: ReadonlyMap<ResourceName, string>;
  }): Promise<Catalogue>;
  /** A catalogue at once and a new one whenever something differs; never gives up. */
  watchCatalogue(options: {
    readonly signal: AbortSignal;
    readonly pinned: ReadonlyMap<ResourceName, string>;
  }): AsyncIterable<Catalogue>;
  /** All changes of a resource; never gives up unless `once`. Pulling is the backpressure. */
  listWatch(resource: Resource, options: WatchOptions): AsyncIterable<Change>;
  /** One object, or undefined when it does not exist. Throws KeeperError on anything else. */
  get(
    resource: Pick<Resource, 'group' | 'version' | 'plural' | 'namespaced'>,
    place: { readonly namespace?: string; readonly name: string },
  ): Promise<KubeObject | undefined>;
}

/** Makes the text of a manifest whose secret leaves must not be readable. */
export interface Sealer {
  readonly policy: 'fingerprint' | 'encrypt' | 'omit';
  /** Without reading: fingerprint and omit. Undefined when this policy needs `seal`. */
  seal(
    object: KubeObject,
    where: { readonly repository: string; readonly path: string },
    secrets: readonly string[],
    previous: () => Promise<string | undefined>,
  ): Promise<string>;
}

/** Wall and monotonic time, passed in so that tests can move it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  wall(): number;
  /** Milliseconds that only grow. */
  monotonic(): number;
}

/** What proves to a remote who we are. Never logged, never in an error. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string };

export interface CredentialSource {
  /**
   * What is valid now; undefined when none is configured. With `renew` the remote has refused what it got last: files and
   * Secrets are read again, short-lived tokens are asked for anew. Throws KeeperError REMOTE_CREDENTIALS_INVALID.
   */
  get(options?: { readonly renew?: boolean; readonly signal?: AbortSignal }): Promise<Credential | undefined>;
}

/** The API beside a Git server: makes repositories that do not exist. Branches, tags and notes go by Git alone. */
export interface Forge {
  readonly kind: 'github' | 'gitea';
  /** Makes a private repository; one that exists is as good. Throws KeeperError REMOTE_* with what the account lacks. */
  create(place: RemotePlace, options: { readonly signal?: AbortSignal }): Promise<'created' | 'exists'>;
  /** Forbids force pushes and deletion of `main`; false where the account may not, or the forge cannot. */
  protect(place: RemotePlace, options: { readonly signal?: AbortSignal }): Promise<boolean>;
}

/** A pull request whose branch lies in the same repository. */
export interface PullRequest {
  readonly number: number;
  /** For people. */
  readonly url: string;
  readonly state: 'open' | 'merged' | 'closed';
  readonly body: string;
  /** The proposed branch, without `refs/heads/`. */
  readonly branch: string;
  /** The branch's commit: when it was merged, else now. */
  readonly head: string;
  /** The branch that it is for. */
  readonly base: string;
  /** What the merge made on that branch: of several rebased commits the last; undefined until it is merged. */
  readonly mergeCommit: string | undefined;
}

/** What one person last said of a pull request; somebody who took it back said nothing. */
export interface Review {
  readonly by: string;
  readonly verdict: 'approved' | 'changes-requested';
  /** The commit that was looked at. */
  readonly commit: string;
}

export interface PullRequestComment {
  /** Undefined where the forge does not tell who we are. */
  readonly isOurs: boolean | undefined;
  readonly body: string;
}

interface PullRequestCall {
  readonly signal?: AbortSignal;
}

/**
 * The pull requests of a forge. Bodies and comments are Markdown. All throw KeeperError REMOTE_*: what the account lacks is named, what
 * may pass is transient.
 */
export interface PullRequests {
  /** One that is open already for the branch is as good. Branches without `refs/heads/`. */
  open(
    place: RemotePlace,
    request: { readonly title: string; readonly body: string; readonly head: string; readonly base: string },
    options: PullRequestCall,
  ): Promise<{ readonly number: number; readonly url: string }>;
  /** Those of branches with this prefix, the one that was touched last first; as many as a person would look through. */
  find(
    place: RemotePlace,
    wanted: { readonly prefix: string; readonly state: 'open' | 'merged' },
    options: PullRequestCall,
  ): Promise<readonly PullRequest[]>;
  /** The last word of each person who approved or asked for changes. */
  reviews(place: RemotePlace, number: number, options: PullRequestCall): Promise<readonly Review[]>;
  comments(place: RemotePlace, number: number, options: PullRequestCall): Promise<readonly PullRequestComment[]>;
  comment(place: RemotePlace, number: number, body: string, options: PullRequestCall): Promise<void>;
}

/** A coordination.k8s.io Lease as the election needs it. */
export interface LeaseRecord {
  /** '' when it was released. */
  readonly holder: string;
  readonly durationSeconds: number;
  /** leaseTransitions: grows with each new holder. */
  readonly transitions: number;
  /** Of the object; an update names what it saw. */
  readonly resourceVersion: string;
}

export interface LeaseStore {
  /** Undefined when there is none. */
  read(signal: AbortSignal): Promise<LeaseRecord | undefined>;
  /** Creates (without `seen`) or updates; undefined when somebody else was faster. */
  write(
    next: { readonly holder: string; readonly durationSeconds: number; readonly transitions: number },
    seen: LeaseRecord | undefined,
    signal: AbortSignal,
  ): Promise<LeaseRecord | undefined>;
}
