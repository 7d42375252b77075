import { Command, CommanderError, Option } from 'commander';
import { type RawSettings, type Setting, variableOf } from '../config.ts';
import { EXIT } from '../errors.ts';
import { readVersion } from '../telemetry/version.ts';
import { reportFailure } from './output.ts';
import type { Verb } from './verb.ts';

/** The command line: parses, runs one verb, and turns what it threw into one line and an exit code. */

const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  archive: async () => (await import('./archive.ts')).archiveCommand,
  backup: async () => (await import('./backup.ts')).backupCommand,
  verify: async () => (await import('./verify.ts')).verifyCommand,
  changes: async () => (await import('./changes.ts')).changesCommand,
  diff: async () => (await import('./diff.ts')).diffCommand,
  show: async () => (await import('./show.ts')).showCommand,
  tag: async () => (await import('./tag.ts')).tagCommand,
  data: async () => (await import('./data.ts')).dataCommand,
  prune: async () => (await import('./prune.ts')).pruneCommand,
  tags: async () => (await import('./tags.ts')).tagsCommand,
  drift: async () => (await import('./drift.ts')).driftCommand,
  plan: async () => (await import('./plan.ts')).planCommand,
  restore: async () => (await import('./restore.ts')).restoreCommand,
  undo: async () => (await import('./undo.ts')).undoCommand,
  propose: async () => (await import('./propose.ts')).proposeCommand,
  'apply-merged': async () => (await import('./apply-merged.ts')).applyMergedCommand,
  export: async () => (await import('./export.ts')).exportCommand,
  'allow-deletions': async () => (await import('./allow-deletions.ts')).allowDeletionsCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
};

/** Each verb is loaded when it is asked for: starting is most of the time of a short one. Help, and words that are none, need all. */
async function loadVerbs(word: string | undefined): Promise<readonly Verb[]> {
  const load = word === undefined || !Object.hasOwn(VERBS, word) ? undefined : VERBS[word];
  return load === undefined ? await Promise.all(Object.values(VERBS).map((one) => one())) : [await load()];
}

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
  for (const verb of await loadVerbs(argv[0])) {
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
    ended(await verb.run(args, givenTo(command)));
  });
}

/** What a person or the surroundings gave; each verb knows its defaults, and between the two a file may have a word. */
function givenTo(command: Command): RawSettings {
  const options = Object.entries(command.opts<RawSettings>());
  return Object.fromEntries(options.filter(([name]) => command.getOptionValueSource(name) !== 'default'));
}

function optionOf(setting: Setting): Option {
  const value = setting.value === undefined ? '' : ` <${setting.value}>`;
  const option = new Option(`--${setting.flag}${value}`, setting.help);
  if (setting.flagOnly !== true) option.env(variableOf(setting.flag));
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
