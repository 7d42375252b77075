import { diffLines } from './line-diff.ts';

/** The difference of one file as `git diff` writes it, so that `git apply` takes it. */

export interface FileVersions {
  readonly path: string;
  /** Blob and text; undefined where the file is not there. */
  readonly before: { readonly id: string; readonly text: string } | undefined;
  readonly after: { readonly id: string; readonly text: string } | undefined;
}

const NOTHING = '0'.repeat(40);
const CONTEXT = 3;

/** Without a line break at the end. */
export function unifiedDiff({ path, before, after }: FileVersions): string {
  const [old, new_] = [quote(`a/${path}`), quote(`b/${path}`)];
  const ids = `${(before?.id ?? NOTHING).slice(0, 10)}..${(after?.id ?? NOTHING).slice(0, 10)}`;
  const header =
    before === undefined
      ? ['new file mode 100644', `index ${ids}`]
      : after === undefined
        ? ['deleted file mode 100644', `index ${ids}`]
        : [`index ${ids} 100644`];
  const hunks = diffLines(before?.text ?? '', after?.text ?? '', CONTEXT);
  const names = [
    before === undefined ? '--- /dev/null' : `--- ${old}`,
    after === undefined ? '+++ /dev/null' : `+++ ${new_}`,
  ];
  const body = hunks.flatMap((hunk) => [
    `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`,
    ...hunk.lines,
  ]);
  return [`diff --git ${old} ${new_}`, ...header, ...(hunks.length === 0 ? [] : [...names, ...body])].join('\n');
}

function range(start: number, lines: number): string {
  return lines === 1 ? String(start) : `${start},${lines}`;
}

/** Paths of manifests need no quotes; in a repository of somebody's a name may hold anything. */
function quote(path: string): string {
  return /["\\\p{Cc}]/u.test(path) ? JSON.stringify(path) : path;
}
