import { readFile } from 'node:fs/promises';
import { compileRules, type RuleSet } from './core/rules/rule-set.ts';
import { KeeperError } from './errors.ts';

/** The built-in rules with those of a file over them. Throws KeeperError RULES_INVALID. */
export async function readRules(file: string | undefined): Promise<RuleSet> {
  if (file === undefined) return compileRules();
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KeeperError(`Cannot read the rules file "${file}"; nothing was changed, check --rules`, {
      kind: 'invalid-input',
      code: 'RULES_INVALID',
      cause,
    });
  }
  const { parseRuleFile } = await import('./core/rule-file.ts');
  return compileRules(parseRuleFile(text, file));
}
