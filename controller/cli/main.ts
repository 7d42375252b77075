import { Command, CommanderError, Option } from 'commander';
import { type Setting, variableOf } from '../config.ts';
import { EXIT } from '../errors.ts';
import { readVersion } from '../telemetry/version.ts';
import { allowDeletionsCommand } from './allow-deletions.ts';
import { applyMergedCommand } from './apply-merged.ts';
import { archiveCommand } from './archive.ts';
import { changesCommand } from './changes.ts';
import { diffCommand } from './diff.ts';
import { driftCommand } from './drift.ts';
import { explainCommand } from './explain.ts';
import { exportCommand } from './export.ts';
import { reportFailure } from './output.ts';
import { planCommand } from './plan.ts';
import { proposeCommand } from './propose.ts';
import { restoreCommand } from './restore.ts';
import { showCommand } from './show.ts';
import { tagCommand } from './tag.ts';
import { tagsCommand } from './tags.ts';
import { undoCommand } from './undo.ts';
import type { Verb } from './verb.ts';
import { verifyCommand } from './verify.ts';

/** The command line: parses, runs one verb, and turns what it threw into one line and an exit code. */

const VERBS: readonly Verb[] = [
  archiveCommand,
  verifyCommand,
  changesCommand,
  diffCommand,
  showCommand,
  tagCommand,
  tagsCommand,
  driftCommand,
  planCommand,
  restoreCommand,
  undoCommand,
  proposeCommand,
  applyMergedCommand,
  exportCommand,
  allowDeletionsCommand,
  explainCommand,
];

/** Runs the command line; answers the exit code and never throws. */
export async function run(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.done;
  // A reader such as head(1) has enough: that is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
  );
  const program = new Command('kubekeeper')
    .description('etckeeper for Kubernetes and OpenShift: every change of a cluster becomes a Git commit')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError()
    .exitOverride();
  for (const verb of VERBS) {
    addVerb(program, verb, (exit) => {
      code = exit;
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    // commander has said what is wrong; help and version are no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return reportFailure(error);
  }
}

function addVerb(program: Command, verb: Verb, ended: (exit: number) => void): void {
  const command = program.command(verb.name).summary(verb.summary).description(verb.summary).exitOverride();
  for (const [spelling, help] of verb.arguments) command.argument(spelling, help);
  for (const [flags, help] of verb.switches) command.option(flags, help);
  for (const setting of verb.settings) command.addOption(optionOf(setting));
  command.addHelpText('after', `\nExamples:\n${verb.examples.map((example) => `  ${example}`).join('\n')}`);
  command.action(async (...given: unknown[]) => {
    const args = given
      .slice(0, verb.arguments.length)
      .flat()
      .filter((one) => typeof one === 'string');
    ended(await verb.run(args, command.opts()));
  });
}

function optionOf(setting: Setting): Option {
  const value = setting.value === undefined ? '' : ` <${setting.value}>`;
  const option = new Option(`--${setting.flag}${value}`, setting.help).env(variableOf(setting.flag));
  // A value spelled "age1..." must not swallow what stands behind it.
  option.variadic = false;
  if (setting.choices !== undefined) option.choices(setting.choices);
  if (setting.default !== undefined) option.default(setting.default);
  if (setting.repeatable === true) option.argParser(collect);
  return option;
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}
