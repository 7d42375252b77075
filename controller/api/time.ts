import { z } from 'zod';

/** Lengths of time, as Kubernetes writes them and as restic does, where m means months. */

/** '30s', '1h30m', '720h'; d is 24 hours. */
export const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** '14d', '1y6m': years, months, weeks, days, hours. */
export const SPAN = /^(?:\d{1,6}[ymwdh])+$/;

export const durationSchema = z.string().regex(DURATION, 'a time such as 30s, 15m or 720h');
export const spanSchema = z.string().regex(SPAN, 'a span such as 14d or 1y6m: years, months, weeks, days, hours');
