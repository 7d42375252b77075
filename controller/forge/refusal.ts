/**
 * A request that the forge refused, as its callers look at it and as it may stay in an error's `cause`: octokit's own error holds
 * the headers that were sent.
 */
export class Refusal extends Error {
  /** HTTP's; 4xx. */
  readonly status: number;
  /** Of single fields, as GitHub lists them beside its message. */
  readonly reasons: readonly string[];
  /** What GitHub says that the token may ('' for none), where it says so: classic tokens only. */
  readonly scopes: string | undefined;
  /** What GitHub says that the request needs, where it says so. */
  readonly needs: string | undefined;

  /** All texts masked, each one line. */
  constructor(
    status: number,
    says: {
      readonly message: string;
      readonly reasons: readonly string[];
      readonly scopes?: string;
      readonly needs?: string;
    },
  ) {
    super(says.message);
    this.name = 'Refusal';
    this.status = status;
    this.reasons = says.reasons;
    this.scopes = says.scopes;
    this.needs = says.needs;
  }

  /** Its words for a person: `403: You need admin access`. */
  get words(): string {
    const words = [this.message, ...this.reasons].filter((one) => one !== '').join(', ');
    return words === '' ? `${this.status}` : `${this.status}: ${words}`;
  }
}
