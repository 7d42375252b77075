import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { resumedConfig } from '../../controller/cli/restore-resume.ts';
import type { RestoreRules } from '../../controller/core/restore/journal.ts';
import { EVERYTHING } from '../../controller/core/restore/plan.ts';
import { createJournal } from '../../controller/git/restore-journal.ts';
import { readRules } from '../../controller/rules-file.ts';
import { temporaryDirectory } from '../flows/keeper.ts';

/** A restore that was stopped goes on by the rules that it was begun with, or not at all. */

const RULES = (pointer: string) => `rules:
  - id: ours
    resources: [configmaps]
    pointer: ${pointer}
    verdict: strip
    reason: it is ours
`;

async function begun(rules: (file: string) => Promise<RestoreRules> | undefined) {
  const directory = await temporaryDirectory();
  const file = join(directory.path, 'rules.yaml');
  await writeFile(file, RULES('/data/a'));
  const known = await rules(file);
  await using _journal = await createJournal(directory.path, {
    version: 1,
    ...{ id: 'one', started: '2026-11-21T10:00:00Z', plan: 'ab', repository: 'shop', commit: 'cd' },
    ...{ target: { clusterId: 'c', namespace: 'shop', asUser: undefined }, selection: EVERYTHING },
    ...(known === undefined ? {} : { rules: known }),
  });
  const resume = async (raw: Record<string, string | boolean> = {}) => {
    const { config } = await resumedConfig('shop', { dataDir: directory.path, ...raw });
    return [config.rulesFile, config.includeOwned];
  };
  return { file, resume, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

const withRules = async (file: string) => ({ version: (await readRules(file)).version, file, includeOwned: true });
const withoutRules = async () => ({ version: (await readRules(undefined)).version, includeOwned: false });

test('rules and --include-owned need not be given again', async () => {
  await using one = await begun(withRules);
  assert.deepEqual(await one.resume(), [one.file, true]);
  await using other = await begun(withoutRules);
  assert.deepEqual(await other.resume(), [undefined, false]);
});

test('the same rules in another file are the same, and others are refused before anything is done', async () => {
  await using one = await begun(withRules);
  const copy = `${one.file}.copy`;
  await writeFile(copy, RULES('/data/a'));
  assert.deepEqual(await one.resume({ rules: copy }), [copy, true]);
  await writeFile(copy, RULES('/data/b'));
  await assert.rejects(one.resume({ rules: copy }), {
    code: 'USAGE_INVALID',
    message: `Nothing was changed: the restore of "shop" that was stopped was begun with the rules that "${one.file}" held then; go on with those, or begin another restore with --to`,
  });
  await writeFile(one.file, RULES('/data/c'));
  await assert.rejects(one.resume(), { code: 'USAGE_INVALID', message: /held then/ });
});

test('what a restore was begun without is refused', async () => {
  await using one = await begun(withoutRules);
  await assert.rejects(one.resume({ rules: one.file }), { code: 'USAGE_INVALID', message: /begun without --rules;/ });
  await assert.rejects(one.resume({ includeOwned: true }), {
    code: 'USAGE_INVALID',
    message: /begun without --include-owned;/,
  });
});

test('a journal of an earlier version, which says nothing of rules, is gone on with by those that are given', async () => {
  await using one = await begun(() => undefined);
  assert.deepEqual(await one.resume({ rules: one.file, includeOwned: true }), [one.file, true]);
});

test('a newer kubekeeper with other built-in rules goes on with a restore', async () => {
  await using one = await begun(async (file) => {
    const { version } = await readRules(file);
    return { version: version.replace(/^\d+/, '0'), file, includeOwned: false };
  });
  assert.deepEqual(await one.resume(), [one.file, false]);
});
