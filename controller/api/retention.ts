import { z } from 'zod';
import { durationSchema, spanSchema } from './time.ts';

/** How long volume data is kept: restic's and k8up's names, and the aliases that people bring from Velero and nxs-backup. */

const COUNT = z.number().int().min(-1);
export const retentionSchema = z.strictObject({
  keepLast: COUNT.optional().describe('The newest so many; -1 is all, as with every count'),
  keepHourly: COUNT.optional().describe('The newest of each hour, for so many hours that have one'),
  keepDaily: COUNT.optional().describe('The newest of each day, for so many days that have one'),
  keepWeekly: COUNT.optional().describe('The newest of each ISO week, for so many weeks that have one'),
  keepMonthly: COUNT.optional().describe('The newest of each month, for so many months that have one'),
  keepYearly: COUNT.optional().describe('The newest of each year, for so many years that have one'),
  keepWithin: spanSchema.optional().describe('All that are so much older than the newest, or less'),
  keepWithinHourly: spanSchema.optional().describe('The newest of each hour in that span before the newest'),
  keepWithinDaily: spanSchema.optional().describe('The newest of each day in that span before the newest'),
  keepWithinWeekly: spanSchema.optional().describe('The newest of each week in that span before the newest'),
  keepWithinMonthly: spanSchema.optional().describe('The newest of each month in that span before the newest'),
  keepWithinYearly: spanSchema.optional().describe('The newest of each year in that span before the newest'),
  keepTags: z.array(z.string().min(1)).optional().describe('Globs of Git tags that keep, besides good/* and pre/*'),
  timeZone: z.string().optional().describe('Where hours, days, weeks, months and years begin; UTC when left out'),
  minKeep: z.number().int().min(1).optional().describe('Never fewer than so many that are ready; 1 when left out'),
  failedHistory: z.number().int().min(0).optional().describe('The newest so many that failed or are partial; 3'),
  ttl: durationSchema.optional().describe('All younger than that, measured from now'),
  days: COUNT.optional().describe('The same as keepDaily'),
  weeks: COUNT.optional().describe('The same as keepWeekly'),
  months: COUNT.optional().describe('The same as keepMonthly'),
});

export type RetentionSpec = z.infer<typeof retentionSchema>;
