import { endLine, type Identity, renderSignature } from './commit-object.ts';
import type { ObjectId, ObjectType } from './object-id.ts';

export interface TagDraft {
  readonly target: ObjectId;
  readonly type: ObjectType;
  /** Below `refs/tags/`. */
  readonly name: string;
  readonly message: string;
  readonly tagger: Identity;
  readonly time: Date;
}

/** The bytes of an annotated tag. */
export function renderTag({ target, type, name, message, tagger, time }: TagDraft): Buffer {
  const lines = [`object ${target}`, `type ${type}`, `tag ${name}`, `tagger ${renderSignature(tagger, time)}`];
  return Buffer.from(`${lines.join('\n')}\n\n${endLine(message)}`);
}

/** What an annotated tag is of, which may be a tag again. Throws a RangeError when the bytes are no tag. */
export function peelTag(content: Buffer): ObjectId {
  const target = /^object ([0-9a-f]{40})\n/.exec(content.toString('latin1', 0, 48))?.[1];
  if (target === undefined) throw new RangeError('Not a tag');
  return target;
}
