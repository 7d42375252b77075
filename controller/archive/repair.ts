import type { Outcome } from '../core/outcome.ts';
import { KeeperError } from '../errors.ts';
import { openRepository } from '../git/repository.ts';
import { verifyRepository } from '../git/verify-repository.ts';
import { type Damage, isDamage } from './damage.ts';
import { reseedRemote } from './publish-reseed.ts';
import { Quarantine, type QuarantineParts } from './quarantine.ts';
import type { RemotePort } from './remote-port.ts';
import type { Adopt } from './spaces.ts';
import { lookAtRemote } from './verify-remote.ts';

/** What `verify --repair` does, one step after the other; the caller holds the data directory's lock. */

export type RepairStep =
  | Extract<Outcome, { type: 'quarantined' | 'skipped' }>
  /** Its remote was gone; the next archive fills one anew. */
  | { readonly type: 'reseeded'; readonly repository: string; readonly url: string };

export interface RepairParts extends QuarantineParts {
  readonly repositories: readonly string[];
  readonly remote: RemotePort | undefined;
  readonly adopt: Adopt | undefined;
}

/** Replaces what is damaged and confirms remotes that are gone. What is sound and where it was left is not touched. */
export async function* repair(parts: RepairParts): AsyncGenerator<RepairStep> {
  const quarantine = new Quarantine(parts);
  for (const name of parts.repositories) {
    const damage = await findDamage(parts, name);
    if (damage !== undefined) yield* replace(quarantine, damage, { ...parts, name });
    if (parts.remote !== undefined && quarantine.includes(name)) yield* reseed(parts.remote, name, parts);
  }
}

async function findDamage({ dataDirectory, signal }: RepairParts, name: string): Promise<Damage | undefined> {
  const directory = `${dataDirectory}/${name}.git`;
  const { findings } = await verifyRepository(directory, { signal });
  const [first] = findings.filter(({ severity }) => severity === 'damage');
  if (first === undefined) return undefined;
  const details = { directory, file: first.where, problem: first.problem };
  const error = new KeeperError(`Repository "${directory}" is damaged: ${first.where} ${first.problem}`, {
    kind: 'stalled',
    code: 'REPOSITORY_DAMAGED',
    details,
  });
  return isDamage(error) ? error : undefined;
}

async function* replace(
  quarantine: Quarantine,
  damage: Damage,
  { name, adopt }: RepairParts & { readonly name: string },
): AsyncGenerator<RepairStep> {
  const steps: RepairStep[] = [];
  const report = (outcome: Outcome) => {
    if (outcome.type === 'quarantined' || outcome.type === 'skipped') steps.push(outcome);
  };
  await quarantine.replace(name, damage, { adopt, report });
  yield* steps;
}

async function* reseed(port: RemotePort, name: string, parts: RepairParts): AsyncGenerator<RepairStep> {
  const options = parts.guard === undefined ? {} : { guard: parts.guard };
  await using repository = await openRepository(`${parts.dataDirectory}/${name}.git`, options);
  const answer = await lookAtRemote(port, repository, name, parts.signal);
  if (answer.state !== 'gone') return;
  await reseedRemote(repository);
  yield { type: 'reseeded', repository: name, url: port.place(name).url };
}
