import { execFile } from 'node:child_process';

const MAXIMUM_OUTPUT = 2 ** 26;

/** Resolves with standard output; rejects with what the program said. */
export async function run(command: string, args: readonly string[], cwd = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: MAXIMUM_OUTPUT, cwd }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} ${args.join(' ')}: ${error.message} ${stderr}`.trim(), { cause: error }));
    });
  });
}
