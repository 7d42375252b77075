import { type DataNote, renderNote } from '../core/data/record.ts';
import type { Engine } from './engine.ts';

/** False when the repository is not archived any more, or is another line by now. */
export async function writeNote(
  { parts, access }: Pick<Engine, 'parts' | 'access'>,
  repository: string,
  commit: string,
  note: DataNote,
): Promise<boolean> {
  const text = renderNote(note);
  const by = { author: parts.author, time: new Date(parts.clock.wall()) };
  const written = await access.within(repository, async (open) =>
    open.store.has(commit) ? await open.note(commit, text, by) : undefined,
  );
  return written !== undefined;
}
