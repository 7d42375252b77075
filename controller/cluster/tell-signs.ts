import type { Resource } from '../core/object.ts';
import type { OnSign } from '../core/signs.ts';
import type { State } from './list-watch-state.ts';

/** Turns the states of one list-watch into signs of life. */
export class SignTeller {
  readonly #tell: (sign: Parameters<OnSign>[2]) => void;
  #cause = 'first';

  constructor(resource: Resource, namespace: string | undefined, onSign: OnSign | undefined) {
    this.#tell = (sign) => onSign?.(resource, namespace, sign);
  }

  /** To be called with each state before it is left. */
  entered(state: State): void {
    switch (state.at) {
      case 'empty':
        this.#tell({ type: 'listing', cause: this.#cause });
        break;
      case 'failed':
        this.#cause = state.error.code;
        break;
      case 'listed':
        this.#cause = 'poll';
        this.#tell({ type: 'alive' });
        break;
      case 'streaming':
      case 'watching':
        this.#tell({ type: 'alive' });
        break;
      default:
    }
  }

  ended(): void {
    this.#tell({ type: 'ended' });
  }
}
