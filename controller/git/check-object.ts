import { treeProblem } from './check-tree.ts';
import type { ObjectType } from './object-id.ts';

/** What Git itself refuses in the content of an object (`git fsck --strict`), whoever wrote it. */

const IDENTITY = '(?!<)[^<>\\n]* <[^<>\\n]*> (?:0|[1-9]\\d{0,18}) [+-]\\d{4}\\n';
const REST = '(?:[^\\n]+\\n)*(?:\\n|$)';
const COMMIT = new RegExp(
  `^tree [0-9a-f]{40}\\n(?:parent [0-9a-f]{40}\\n)*author ${IDENTITY}committer ${IDENTITY}${REST}`,
);
const TAG = new RegExp(
  `^object [0-9a-f]{40}\\ntype (?:commit|tree|blob|tag)\\ntag [^\\n]+\\n(?:tagger ${IDENTITY})?${REST}`,
);

/** Goes on behind the object's name as a sentence; undefined when Git has nothing to say. */
export function contentProblem(type: ObjectType, content: Buffer): string | undefined {
  switch (type) {
    case 'blob':
      return undefined;
    case 'tree':
      return treeProblem(content);
    case 'commit':
      if (content.includes(0)) return 'is a commit with a NUL in it';
      return COMMIT.test(content.toString('latin1')) ? undefined : 'is a commit whose header Git refuses';
    case 'tag':
      return TAG.test(content.toString('latin1')) ? undefined : 'is a tag whose header Git refuses';
    default:
      return type satisfies never;
  }
}
