import { askForTag, type Done, type Patience } from './ask-archiver.ts';
import { openDataDirectory } from './data-directory.ts';
import { openRepository } from './repository.ts';
import type { TagRequest } from './requests.ts';

/** Tags a commit of a data directory: by whoever archives there, or under the lock when nobody does. */
export async function tagBeside(
  dataDirectory: string,
  tag: Omit<TagRequest, 'do'>,
  { now, ...patience }: Patience & { readonly now: Date },
): Promise<Done & { readonly by: 'archiver' | 'us' }> {
  const done = await askForTag(dataDirectory, tag, patience);
  if (done !== undefined) return { ...done, by: 'archiver' };
  await using lock = await openDataDirectory(dataDirectory);
  const guard = () => lock.verify();
  await using repository = await openRepository(`${lock.directory}/${tag.repository}.git`, { guard });
  const { name, target, message, tagger } = tag;
  await repository.tag(name, { target, message, tagger, time: now });
  return { commit: target, tag: name, by: 'us' };
}
