import type { RawSettings, Setting } from '../config.ts';

/** A verb of the command line: what it takes and what it does. main.ts lists them. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** As commander spells them: '<resource>'. */
  readonly arguments: readonly (readonly [spelling: string, help: string])[];
  readonly settings: readonly Setting[];
  /** Flags without a variable: they ask for one run's behaviour, not for a configuration. */
  readonly switches: readonly (readonly [flags: string, help: string])[];
  readonly examples: readonly string[];
  /** Answers the exit code; throws KeeperError. */
  run(args: readonly string[], raw: RawSettings): Promise<number>;
}
