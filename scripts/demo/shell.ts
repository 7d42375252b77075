import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binary } from '../../test/cluster/binaries.ts';
import type { Cluster } from '../../test/cluster/start-cluster.ts';
import { type CommandOptions, runCommand } from './run-command.ts';
import { printCommand, quoteCommand } from './screen.ts';

/** A person's shell: each command is printed as it would be typed, and throws with what it said when it fails. */
export interface Shell {
  /** `file` is its standard input. */
  kubectl(args: readonly string[], file?: string): Promise<string>;
  kubekeeper(...args: readonly string[]): Promise<string>;
}

/** From here on this process and what it starts use the cluster. */
export async function openShell(cluster: Cluster, signal: AbortSignal): Promise<Shell> {
  printCommand(`export KUBECONFIG=${cluster.kubeconfig}`);
  process.env['KUBECONFIG'] = cluster.kubeconfig;
  process.env['KUBECACHEDIR'] = join(cluster.directory, 'kubectl');
  const program = await binary('kubectl');
  return {
    kubectl: async (args, file) => {
      printCommand(quoteCommand(['kubectl', ...args]) + (file === undefined ? '' : ` < ${file}`));
      const options: CommandOptions = file === undefined ? { signal } : { signal, input: await readFile(file, 'utf8') };
      return runCommand(program, args, options);
    },
    kubekeeper: (...args) => {
      printCommand(quoteCommand(['kubekeeper', ...args]));
      return runCommand(process.execPath, ['bin/kubekeeper.js', ...args], { signal });
    },
  };
}
