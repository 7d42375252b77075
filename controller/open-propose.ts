import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readClusterId } from './archive/cluster-id.ts';
import { RemoteNames } from './archive/lines-remote.ts';
import { connect } from './cluster/connect.ts';
import { openCluster } from './cluster/open-cluster.ts';
import type { ProposeConfig } from './config-propose.ts';
import type { PullRequests } from './core/ports.ts';
import type { Plan } from './core/restore/plan.ts';
import { KeeperError } from './errors.ts';
import type { GitRemotes } from './git/remote/port.ts';
import { openRemote } from './open-remote.ts';
import { type Proposed, propose } from './restore/propose.ts';
import { openRestorePoint, type RestorePoint } from './restore/restore-point.ts';
import { systemClock } from './system-clock.ts';

/** Opens what pull requests need: the remote and its forge. */

export interface OpenProposals extends AsyncDisposable {
  readonly remote: GitRemotes;
  readonly pulls: PullRequests;
  /** To be asked before anything is done with the remote of a repository in this directory. */
  know(directory: string): Promise<void>;
}

/** Throws KeeperError: no forge there, credentials that are none, what cannot be reached. */
export async function openProposals(config: ProposeConfig): Promise<OpenProposals> {
  await using opening = new AsyncDisposableStack();
  const connection = opening.use(await connect(config));
  const cluster = openCluster(connection);
  const clusterId = await readClusterId(cluster);
  const remote = opening.use(await openRemote(config.remote, { cluster, clusterId }));
  const pulls = await remote.pullRequests();
  if (pulls === undefined) throw noForge(config.remote.template.origin);
  const names = new RemoteNames();
  const open = opening.move();
  return {
    remote: names.over(remote.port),
    pulls,
    know: async (directory) => {
      await using newest = await openRestorePoint(directory, 'HEAD');
      names.note(newest.repository, newest.file.namespace?.line);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Undefined when the remote's main has these files already. */
export async function runPropose(
  config: ProposeConfig,
  point: RestorePoint,
  plan: Plan,
  signal: AbortSignal,
): Promise<Proposed | undefined> {
  await using proposals = await openProposals(config);
  await proposals.know(point.directory);
  const scratch = await mkdtemp(join(tmpdir(), 'kubekeeper-propose-'));
  try {
    const parts = { ...proposals, point, scratch: join(scratch, 'repository') };
    return await propose(parts, plan, { to: config.to, time: new Date(systemClock.wall()), signal });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function noForge(origin: string): KeeperError {
  return new KeeperError(
    `${origin} is a plain Git server and has no pull requests; nothing was changed, use restore, or name the forge with --forge`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}
