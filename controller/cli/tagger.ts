import { userInfo } from 'node:os';
import type { Identity } from '../git/commit-object.ts';

/** Who tags when nobody is named. */
export function defaultTagger(): Identity {
  return { name: `kubekeeper for ${userName()}`, email: 'kubekeeper@kubekeeper.dev' };
}

/** In a container the user often has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
