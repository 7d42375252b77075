import { isEndedLine, lineMark, namespaceOf } from '../core/line.ts';
import { CLUSTER_REPOSITORY } from '../core/object.ts';
import type { Cluster } from '../core/ports.ts';
import { listRepositories } from '../git/data-directory.ts';
import type { Repository } from '../git/repository.ts';
import type { RemoteNames } from './lines-remote.ts';
import { askUid } from './lines-whose.ts';
import type { Adoption } from './publish-adopt.ts';
import type { Space } from './space.ts';
import type { Adopt } from './spaces.ts';

interface Choice {
  readonly uid: string;
  readonly mark: string;
}

/**
 * Which line a repository holds that was just opened, and so where its remote is. What has a commit says so itself. A new one begins
 * a later line where one has ended here, or where the remote has a history under the mark of the namespace's uid: after a lost disk
 * nothing else tells that there was an earlier one.
 */
export class LineChoice {
  readonly #cluster: Pick<Cluster, 'get'>;
  readonly #names: RemoteNames;
  readonly #adoption: Adoption | undefined;
  /** Namespaces with a line that has ended here. */
  readonly #ended: Set<string>;
  readonly #uids = new Map<string, string>();
  /** For repositories without a commit. */
  readonly #chosen = new Map<string, Choice>();

  private constructor(
    parts: {
      readonly cluster: Pick<Cluster, 'get'>;
      readonly names: RemoteNames;
      readonly adoption: Adoption | undefined;
    },
    ended: Iterable<string>,
  ) {
    this.#cluster = parts.cluster;
    this.#names = parts.names;
    this.#adoption = parts.adoption;
    this.#ended = new Set(ended);
  }

  static async open(
    dataDirectory: string,
    parts: {
      readonly cluster: Pick<Cluster, 'get'>;
      readonly names: RemoteNames;
      readonly adoption: Adoption | undefined;
    },
  ): Promise<LineChoice> {
    const repositories = await listRepositories(dataDirectory);
    return new LineChoice(parts, repositories.filter(isEndedLine).map(namespaceOf));
  }

  /** Sees a repository before anything is read of it: finds its remote and takes over what that has. */
  readonly adopt: Adopt = async (name, repository) => {
    // Nothing more comes to an ended line, from nowhere.
    if (isEndedLine(name)) return;
    await this.#settle(name, repository);
    await this.#adoption?.adopt(name, repository);
  };

  /** Tells one without a commit what it begins. */
  readonly begin = (space: Space): void => {
    const chosen = this.#chosen.get(space.name);
    if (chosen !== undefined && space.file === undefined) space.line.begin(chosen.uid, chosen.mark);
  };

  /** The next repository of this name begins this line. */
  turn(name: string, uid: string, mark: string): void {
    this.#ended.add(name);
    this.#choose(name, { uid, mark });
  }

  /** Has the remote a history for the namespace of this uid, in any line? */
  async hasHistory(name: string, uid: string): Promise<boolean> {
    this.#uids.set(name, uid);
    await this.#chooseFor(name);
    return (await this.#adoption?.hasHistory(name)) ?? false;
  }

  async #settle(name: string, repository: Repository): Promise<void> {
    if (name === CLUSTER_REPOSITORY) return;
    if (repository.head !== undefined) await this.#names.noteOpen(name, repository);
    else if (!this.#chosen.has(name)) await this.#chooseFor(name);
  }

  async #chooseFor(name: string): Promise<void> {
    const isEnded = this.#ended.has(name);
    if (name === CLUSTER_REPOSITORY || (!isEnded && this.#adoption === undefined)) return;
    const uid = this.#uids.get(name) ?? (await askUid(this.#cluster, name)) ?? '';
    if (uid === '' && !isEnded) return;
    const choice = { uid, mark: lineMark(uid) };
    this.#names.note(name, choice.mark);
    if (isEnded || (await this.#adoption?.hasHistory(name)) === true) this.#choose(name, choice);
    else this.#names.note(name, undefined);
  }

  #choose(name: string, choice: Choice): void {
    this.#chosen.set(name, choice);
    this.#names.note(name, choice.mark);
  }
}
