import { z } from 'zod';

/** A label selector as Kubernetes writes it in specs. */

const KEY = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9.-]{1,253}\/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/,
    'a label key such as app or example.com/tier',
  );
const VALUE = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/,
    'a label value: letters, digits, ".", "_" and "-", at most 63',
  );

export const labelSelectorSchema = z.strictObject({
  matchLabels: z.record(KEY, VALUE).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: KEY,
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(VALUE).optional(),
      }),
    )
    .optional(),
});

export type LabelSelector = z.infer<typeof labelSelectorSchema>;
