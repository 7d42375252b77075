import { z } from 'zod';
import { FACTS } from './rule-facts.ts';
import { type Condition, VERDICTS } from './rules/rule.ts';

/** The shape of a file of rules; rule-file.ts says what it means. */

const globs = z
  .union([z.string(), z.array(z.string()).min(1)])
  .transform((value) => (typeof value === 'string' ? [value] : value));
const fieldTests = z.record(z.string(), globs);
const factNames = Object.keys(FACTS) as (keyof typeof FACTS)[];

const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.strictObject({
    name: globs.optional(),
    namespace: globs.optional(),
    annotations: globs.optional(),
    labels: globs.optional(),
    owners: globs.optional(),
    fields: fieldTests.optional(),
    value: globs.optional(),
    parts: fieldTests.optional(),
    around: z.strictObject({ levels: z.number().int().min(1), parts: fieldTests }).optional(),
    writer: globs.optional(),
    fact: z.enum(factNames).optional(),
    any: z.array(conditionSchema).min(1).optional(),
    not: conditionSchema.optional(),
  }),
) as z.ZodType<Condition>;

const ruleSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/)
    .optional(),
  resources: globs.optional(),
  pointer: z.string().optional(),
  verdict: z.enum(VERDICTS),
  reason: z.string().optional(),
  when: conditionSchema.optional(),
  secret: z.literal(true).optional(),
});

export const ruleFileSchema = z.strictObject({ rules: z.array(ruleSchema).nullish() });

export type RuleEntry = z.infer<typeof ruleSchema>;

/** Keys by where they may stand, to name the nearest. */
const RULE_KEYS = ['id', 'resources', 'pointer', 'verdict', 'reason', 'when', 'secret'];
const CONDITION_KEYS = [
  ...['name', 'namespace', 'annotations', 'labels', 'owners', 'fields', 'value', 'parts', 'around'],
  ...['writer', 'fact', 'any', 'not'],
];

/** The keys that are valid at a path of the file. */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return ['rules'];
  if (path.at(-1) === 'around') return ['levels', 'parts'];
  return path.includes('when') ? CONDITION_KEYS : RULE_KEYS;
}
