import { createHash } from 'node:crypto';

/** A Git object's name: the SHA-1 of its type, its length and its content, as 40 lower-case hexadecimal digits. */
export type ObjectId = string;

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** The id of the tree without entries; Git knows it without being told. */
export const EMPTY_TREE: ObjectId = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export function objectId(type: ObjectType, content: Buffer): ObjectId {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}

/** What `git hash-object` prints for a file of this content. Text is taken as UTF-8. */
export function blobId(content: Buffer | string): ObjectId {
  return objectId('blob', typeof content === 'string' ? Buffer.from(content) : content);
}

export function isObjectId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}
