import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseConfigFile } from '../../../controller/core/data/parse-config.ts';
import { parseNote, renderNote } from '../../../controller/core/data/record.ts';

function blocks(page: string, language: string): readonly string[] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block]) => block as string,
  );
}

test('the note in the specification is a note, byte for byte', () => {
  const [text = ''] = blocks('format.md', 'json');
  assert.equal(renderNote(parseNote(text, 'a'.repeat(40))), text);
});

test('the policies in the documentation are policies', () => {
  const found = blocks('data.md', 'yaml');
  assert.ok(found.length > 0);
  for (const text of found) assert.ok(parseConfigFile(text, 'data.md').data !== undefined);
});
