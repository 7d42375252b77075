import { join } from 'node:path';

/** The command line of kubekeeper as a user runs it, on the Node that runs the bench. */
export function keeperCommand(args: readonly string[], nodeFlags: readonly string[] = []): readonly string[] {
  return [process.execPath, ...nodeFlags, join(import.meta.dirname, '../../bin/kubekeeper.js'), ...args];
}

/** What benches read of the report of `archive --once -o json`. */
export interface OnceReport {
  readonly resources: readonly { readonly resource: string; readonly objects: number }[];
  readonly skipped: readonly { readonly resource: string; readonly reason: string }[];
  readonly commits: readonly { readonly repository: string; readonly objects: number; readonly bytes: number }[];
}

export function archiveOnceArgs(kubeconfig: string, dataDirectory: string): readonly string[] {
  return ['archive', '--once', '-o', 'json', '--kubeconfig', kubeconfig, '--data-dir', dataDirectory];
}

/** Throws when the archive is not whole: its speed would mean nothing. */
export function readReport(output: string, expected: number): OnceReport {
  const report = JSON.parse(output) as OnceReport;
  const objects = report.resources.reduce((sum, one) => sum + one.objects, 0);
  if (objects < expected) throw new Error(`kubekeeper archived ${objects} objects where ${expected} were created`);
  const [skipped] = report.skipped;
  if (skipped !== undefined) throw new Error(`kubekeeper skipped ${skipped.resource}: ${skipped.reason}`);
  return report;
}
