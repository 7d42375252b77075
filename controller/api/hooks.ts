import { z } from 'zod';
import { labelSelectorSchema } from './label-selector.ts';
import { durationSchema } from './time.ts';

/** Commands in pods around a snapshot, in the shape that Velero's users know; `held` is ours. */

const execSchema = z.strictObject({
  container: z.string().optional().describe('The first of the pod when left out'),
  command: z.array(z.string()).min(1).describe('Program and arguments; no shell unless it names one'),
  onError: z.enum(['Fail', 'Continue']).optional().describe('Fail: the point does not count as quiesced'),
  timeout: durationSchema.optional().describe('30s when left out'),
});

const stepsSchema = z.array(z.strictObject({ exec: execSchema }));

export const hookSchema = z.strictObject({
  name: z.string(),
  includedNamespaces: z.array(z.string()).optional(),
  excludedNamespaces: z.array(z.string()).optional(),
  labelSelector: labelSelectorSchema.optional().describe('Of pods; all running ones with a claim when left out'),
  pre: stepsSchema.optional().describe('Before the snapshots, in this order'),
  held: stepsSchema
    .optional()
    .describe(
      'Started before the snapshots and held until they are cut: a session that locks tables; its end of input is the end',
    ),
  post: stepsSchema.optional().describe('After the snapshots were cut, whatever happened before'),
});

export type HookSpec = z.infer<typeof hookSchema>;
