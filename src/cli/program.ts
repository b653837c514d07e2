import { Command, CommanderError } from 'commander';
import { errnoOf, messageOf, UsageError } from '../lib/errors.ts';
import { say, wantsColour, widthOfTerminal, type Environment, type Io, type Output } from './io.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** What a command line without a terminal is wrapped at. */
const HELP_WIDTH = 100;

/** A program that speaks as all of ours do: help on stdout, mistakes on stderr after `prefix`, no end of the process. */
export function createProgram(name: string, prefix: string, { env, io }: { readonly env: Environment; readonly io: Io }): Command {
  return new Command(name)
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .showHelpAfterError('Run with --help to see how it is used.')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error:/, `${prefix}:`)),
      getOutHelpWidth: () => widthOfTerminal(io.stdout) ?? HELP_WIDTH,
      getErrHelpWidth: () => widthOfTerminal(io.stderr) ?? HELP_WIDTH,
      getOutHasColors: () => wantsColour(io.stdout, env),
      getErrHasColors: () => wantsColour(io.stderr, env),
    });
}

/** Says what went wrong, and gives the exit code for it. */
export function reportError(error: unknown, prefix: string, stderr: Output): number {
  // Commander has already said what is wrong; help and version are not errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
  say(stderr, `${prefix}: ${describe(error)}${isIncomplete(error) ? INCOMPLETE : ''}`);
  return error instanceof UsageError ? EXIT_CODES.usage : EXIT_CODES.failed;
}

const INCOMPLETE =
  '; the packages that this program needs are not beside it: run it in the directory where npm installed it, or from the container image';

function isIncomplete(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}

/** A mistake of ours keeps its stack, because it is to be reported; everything else is a message. */
function describe(error: unknown): string {
  const ours = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return ours && errnoOf(error) === undefined ? (error.stack ?? error.message) : messageOf(error);
}
