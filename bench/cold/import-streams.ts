import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git, repositoriesIn } from '../git/repositories.ts';

/** A stream for `git fast-import` per repository of an archive: the same files with the same bytes, in one commit. */
export async function writeImportStreams(archive: string, streams: string): Promise<ArchivedBytes> {
  await mkdir(streams, { recursive: true });
  const total = { files: 0, bytes: 0 };
  for (const name of await repositoriesIn(archive)) {
    const files = readFiles(join(archive, `${name}.git`));
    await writeFile(join(streams, `${name}.stream`), renderStream(files));
    total.files += files.length;
    for (const { content } of files) total.bytes += content.length;
  }
  return total;
}

export interface ArchivedBytes {
  readonly files: number;
  readonly bytes: number;
}

/** The tree of the branch, as one line to compare. */
export function treeOf(repository: string): string {
  return git(repository, ['rev-parse', 'main^{tree}']).toString().trim();
}

interface File {
  readonly path: string;
  readonly content: Buffer;
}

function readFiles(repository: string): readonly File[] {
  const listing = git(repository, ['ls-tree', '-r', '-z', 'main']).toString();
  const rows = listing.split('\0').filter(Boolean);
  const ids = rows.map((row) => row.split(/[ \t]/)[2] ?? '');
  const contents = readBlobs(repository, ids);
  return rows.map((row, place) => ({
    path: row.slice(row.indexOf('\t') + 1),
    content: contents[place] ?? Buffer.alloc(0),
  }));
}

/** git cat-file --batch: a line `ID blob SIZE`, the content, a line break; and so on. */
function readBlobs(repository: string, ids: readonly string[]): readonly Buffer[] {
  const output = git(repository, ['cat-file', '--batch'], `${ids.join('\n')}\n`);
  let at = 0;
  return ids.map(() => {
    const begin = output.indexOf(0x0a, at) + 1;
    const size = Number(
      output
        .subarray(at, begin - 1)
        .toString()
        .split(' ')[2],
    );
    at = begin + size + 1;
    return output.subarray(begin, begin + size);
  });
}

function renderStream(files: readonly File[]): Buffer {
  const message = 'Archive';
  const parts: Buffer[] = [
    Buffer.from(
      `commit refs/heads/main\ncommitter floor <floor@example.com> 1 +0000\ndata ${message.length}\n${message}\n`,
    ),
  ];
  for (const { path, content } of files) {
    parts.push(Buffer.from(`M 100644 inline ${path}\ndata ${content.length}\n`), content, Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}
