import type { VolumePlan } from '../core/restore/volume-plan.ts';
import type { StepEnd } from './events.ts';
import { makeSource, type Ready } from './fill.ts';
import type { Run } from './run.ts';

/** What claims are filled from is made while the objects before them are restored: a driver takes its time, and needs only the namespace. */
export class Sources {
  readonly #run: Run;
  readonly #making = new Map<string, Promise<Ready | StepEnd>>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** For all claims that the plan makes with data. */
  begin(): void {
    for (const volume of this.#run.planned.plan.volumes ?? []) if (volume.action === 'restore') void this.of(volume);
  }

  has(claim: string): boolean {
    return this.#making.has(claim);
  }

  /** Never rejects but with defects, which whoever asks for that claim gets. */
  of(volume: VolumePlan): Promise<Ready | StepEnd> {
    const known = this.#making.get(volume.claim);
    if (known !== undefined) return known;
    const making = makeSource(this.#run, volume).catch((error: unknown) => this.#run.failureOf(error));
    // A defect is told where the claim is made.
    making.catch(() => undefined);
    this.#making.set(volume.claim, making);
    return making;
  }

  /** Nothing is made behind the back of a restore that has ended. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#making.values());
  }
}
