import { Command, CommanderError } from 'commander';
import { errnoOf, messageOf, UsageError } from '../lib/errors.ts';
import { addAgentCommand } from './commands/agent.ts';
import { addCleanupCommand } from './commands/cleanup.ts';
import { addConfigCommand } from './commands/config.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addPassCommand } from './commands/pass.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addVersionCommand, VERSION_LINE } from './commands/version.ts';
import type { Context } from './context.ts';
import { say } from './diagnostics.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { wantsColour, widthOfTerminal, type Environment, type Io, type Output } from './io.ts';
import type { Wiring } from './wiring.ts';

/** What a command line without a terminal is wrapped at. */
const HELP_WIDTH = 100;

/**
 * Runs one command line.
 *
 * @param argv the arguments after the program's name
 * @returns the exit code: 0 done, 1 failed, 2 usage or configuration, 3 held. Never throws.
 */
export async function run(argv: readonly string[], env: Environment, io: Io, wiring: () => Promise<Wiring>): Promise<number> {
  let exitCode: number = EXIT_CODES.done;
  const context: Context = { env, io, wiring, exitWith: (code) => (exitCode = code) };
  try {
    await programFor(context).parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return tell(error, io.stderr);
  }
}

function programFor(context: Context): Command {
  const { env, io } = context;
  const program = new Command('basekeeper')
    .description("Keeps the base images that this node's virtual machines stand on, and removes those that nothing stands on any more.")
    .version(VERSION_LINE, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .showHelpAfterError('Run with --help to see how it is used.')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error:/, 'basekeeper:')),
      getOutHelpWidth: () => widthOfTerminal(io.stdout) ?? HELP_WIDTH,
      getErrHelpWidth: () => widthOfTerminal(io.stderr) ?? HELP_WIDTH,
      getOutHasColors: () => wantsColour(io.stdout, env),
      getErrHasColors: () => wantsColour(io.stderr, env),
    })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 usage or configuration, 3 held.\n\nExample:\n  $ basekeeper plan --config config.yaml',
    );
  for (const add of [
    addAgentCommand,
    addPassCommand,
    addPlanCommand,
    addExplainCommand,
    addConfigCommand,
    addCleanupCommand,
    addVersionCommand,
  ])
    add(program, context);
  return program;
}

function tell(error: unknown, stderr: Output): number {
  // Commander has already said what is wrong; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
  say(stderr, `basekeeper: ${describe(error)}`);
  return error instanceof UsageError ? EXIT_CODES.usage : EXIT_CODES.failed;
}

/** A mistake of ours keeps its stack, because it is to be reported; everything else is a message. */
function describe(error: unknown): string {
  const ours = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return ours && errnoOf(error) === undefined ? (error.stack ?? error.message) : messageOf(error);
}
