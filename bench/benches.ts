import type { Bench } from './bench.ts';
import { cold } from './cold/cold.ts';
import { commit } from './commit/commit.ts';
import { data } from './data/data.ts';
import { memory } from './memory/memory.ts';
import { profile } from './profile/profile.ts';
import { push } from './push/push.ts';
import { restore } from './restore/restore.ts';
import { steady } from './steady/steady.ts';

/** In the order in which they run and are reported; those that want the same cluster stand together. */
export const BENCHES: readonly Bench[] = [cold, profile, steady, commit, push, restore, data, memory];
