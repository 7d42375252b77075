import { execFileSync } from 'node:child_process';

/**
 * Runs `git` where the repository lies under an overlay whose upper layer is a tmpfs that is full: what is stored can be
 * read, and each write fails with a real ENOSPC. The mounts are seen by this process alone (unshare(1)) and go with it.
 */
const OVERLAY = `set -e
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mount -t tmpfs -o size=16k kubekeeper "$scratch"
mkdir "$scratch/upper" "$scratch/work"
mount -t overlay -o lowerdir="$0",upperdir="$scratch/upper",workdir="$scratch/work" kubekeeper "$0"
cat /dev/zero > "$scratch/rest" 2>/dev/null || true
`;

/** Where namespaces are forbidden: files that must not grow beyond nothing, so that each write fails with EFBIG. */
const NO_GROWTH = `trap '' XFSZ; ulimit -f 0; exec git "$@"`;

let canMount: boolean | undefined;

/** The command to put before the arguments of `git`. */
export function withoutSpace(repository: string): readonly string[] {
  canMount ??= tryMount();
  return canMount
    ? [
        'unshare',
        '--map-root-user',
        '--mount',
        'sh',
        '-c',
        `${OVERLAY}umount -l "$scratch"; rmdir "$scratch"; trap - EXIT; exec git "$@"`,
        repository,
      ]
    : ['sh', '-c', NO_GROWTH, 'git'];
}

function tryMount(): boolean {
  try {
    execFileSync('unshare', ['--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs none /mnt'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
