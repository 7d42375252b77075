import type { OwnershipOptions } from './ownership.ts';

/** What an object cannot tell of itself: what surrounds it in the cluster. */
export interface SanitiseOptions extends OwnershipOptions {
  /** Does an autoscaler target this object? Its scaling of replicas that nobody claimed leaves no trace in the object. */
  readonly isScaleTarget?: (target: ScaleTarget) => boolean;
}

export interface ScaleTarget {
  /** '' for cluster-scoped objects. */
  readonly namespace: string;
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}
