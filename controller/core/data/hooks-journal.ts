/** Pods whose post hook must run although this process ends: those without a shell that could wait for our end. */
export interface HookJournal {
  /** On the disk when this resolves. */
  put(pod: HeldPod): Promise<void>;
  remove(uid: string): Promise<void>;
  list(): Promise<readonly HeldPod[]>;
}

export interface HeldPod {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}
