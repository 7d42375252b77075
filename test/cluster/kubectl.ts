import { execFile } from 'node:child_process';
import { binary } from './binaries.ts';

const MAXIMUM_OUTPUT = 2 ** 28;

/** Runs the real kubectl and resolves with its output; rejects with what it said. What it caches goes into `directory`. */
export async function runKubectl(
  directory: string,
  kubeconfig: string,
  args: readonly string[],
  input = '',
): Promise<string> {
  const command = await binary('kubectl');
  const env = { ...process.env, HOME: directory, KUBECONFIG: kubeconfig };
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { maxBuffer: MAXIMUM_OUTPUT, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`kubectl ${args.join(' ')}: ${stderr}`, { cause: error }));
    });
    // A kubectl that does not read its input closes it; its exit code says whether that was wrong.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
