import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A fault that the CSI driver makes until it is taken back. */
export interface Fault {
  readonly call: FaultyCall;
  /** `NAMESPACE/NAME` of a claim; all claims when left out. Calls for a group or a list know none. */
  readonly claim?: string;
  /** Waits this long first; what the caller's own deadline cuts off was not done. */
  readonly delayMs?: number;
  /** The error that is answered, like UNAVAILABLE or RESOURCE_EXHAUSTED; none when left out. */
  readonly code?: GrpcCode;
  readonly message?: string;
  /** How often; always when left out. */
  readonly times?: number;
  /** The work is done all the same, and only its answer is lost. */
  readonly afterwards?: boolean;
  /** Only for CreateSnapshot: snapshots of the claim, also those cut before, are not ready to use while this lasts. */
  readonly neverReady?: boolean;
}

type FaultyCall =
  | 'CreateVolume'
  | 'DeleteVolume'
  | 'ControllerExpandVolume'
  | 'CreateSnapshot'
  | 'DeleteSnapshot'
  | 'ListSnapshots'
  | 'CreateVolumeGroupSnapshot'
  | 'DeleteVolumeGroupSnapshot'
  | 'NodePublishVolume'
  | 'NodeUnpublishVolume';

type GrpcCode =
  | 'ABORTED'
  | 'DEADLINE_EXCEEDED'
  | 'FAILED_PRECONDITION'
  | 'INTERNAL'
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'UNIMPLEMENTED';

export interface Faults {
  /** Instead of all before; takes effect with the next call. */
  set(...faults: readonly Fault[]): Promise<void>;
  clear(): Promise<void>;
}

/** As a full storage system answers. */
export const OUT_OF_SPACE = { code: 'RESOURCE_EXHAUSTED', message: 'no space left in the pool' } as const;

export function openFaults(directory: string): Faults {
  const file = join(directory, 'faults.json');
  let last = 0;
  const set = async (...faults: readonly Fault[]) => {
    const orders = faults.map((fault) => ({ id: String(++last), message: 'a fault that the test wants', ...fault }));
    await writeFile(`${file}.draft`, JSON.stringify(orders));
    await rename(`${file}.draft`, file);
  };
  return { set, clear: () => set() };
}
