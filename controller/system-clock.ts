import type { Clock } from './core/ports.ts';

export const systemClock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() };
