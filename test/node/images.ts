import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from './run.ts';

/** Images of our own: no registry can be reached, so an archive is written and imported. */

export interface Image {
  /** A folder that becomes `/`, or one that is packed already. */
  readonly root: string | PackedRoot;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  /** `NAME=VALUE`. */
  readonly env?: readonly string[];
  /** A name or a number, in that image. */
  readonly user?: string;
  readonly workingDirectory?: string;
}

export interface PackedRoot {
  /** A file, tar packed by gzip: less to hand over to containerd, which is slow at it. */
  readonly archive: string;
  /** SHA-256 of the tar archive before it was packed, hexadecimal. */
  readonly digest: string;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Ends at once when it is asked to; a plain sleep as first process would be deaf to that. */
const WAIT = ['sh', '-c', 'trap "exit 0" TERM INT; sleep 1000000 & wait $!'];

/** Writes a file that containerd imports as `name`. */
export async function writeImageArchive(path: string, name: string, image: Image): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kubekeeper-image-'));
  try {
    const layer = join(folder, 'layer.tar');
    const digest = await putLayer(image.root, layer);
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {
        Env: [PATH, ...(image.env ?? [])],
        Cmd: image.command ?? WAIT,
        ...(image.entrypoint === undefined ? {} : { Entrypoint: image.entrypoint }),
        ...(image.user === undefined ? {} : { User: image.user }),
        ...(image.workingDirectory === undefined ? {} : { WorkingDir: image.workingDirectory }),
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    };
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
    await run('tar', ['--dereference', '-C', folder, '-cf', path, 'manifest.json', 'config.json', 'layer.tar']);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Resolves with the digest of what is in it. */
async function putLayer(root: Image['root'], layer: string): Promise<string> {
  if (typeof root !== 'string') {
    await symlink(root.archive, layer);
    return root.digest;
  }
  await run('tar', ['--numeric-owner', '-C', root, '-cf', layer, '.']);
  return hashFile(layer);
}

/** A shell and the small tools, in a folder; also what holds the namespaces of each pod. */
export async function writeBusyboxRoot(folder: string, busybox: string): Promise<void> {
  for (const name of ['bin', 'tmp', 'etc', 'proc', 'sys', 'dev', 'data'])
    await mkdir(join(folder, name), { recursive: true });
  await copyFile(busybox, join(folder, 'bin', 'busybox'));
  const applets = (await run(busybox, ['--list'])).split('\n').filter((name) => name !== '' && name !== 'busybox');
  await Promise.all(applets.map((name) => symlink('busybox', join(folder, 'bin', name))));
  await writeFile(join(folder, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  await writeFile(join(folder, 'etc', 'group'), 'root:x:0:\n');
}

/** SHA-256, hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
