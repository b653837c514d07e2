import { Argument, type Command } from 'commander';
import { shorten } from '../../lib/text.ts';
import { writeResult, type Io } from '../io.ts';
import { complete, type ValuesOf } from './complete.ts';
import { KUBECTL_SCRIPT, SHELL_SCRIPTS } from './scripts.ts';

/** What the scripts call; it is not a command that people see. */
const HIDDEN_COMMAND = '__complete';

/** A line of a menu. */
const DESCRIPTION_MAX_CHARACTERS = 72;

export interface CompletedProgram {
  /** On PATH. */
  readonly executable: string;
  /** For the help's example, which ends in a shell's name. */
  readonly example: string;
  readonly shells: readonly ('bash' | 'zsh' | 'fish' | 'kubectl')[];
}

export function addCompletionCommand(
  program: Command,
  { io }: { readonly io: Io },
  { executable, example, shells }: CompletedProgram,
): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'whose script it is').choices(shells))
    .description('Print the script by which a shell completes commands, options and their values.')
    .addHelpText('after', `\nEach script says in its first lines where it belongs.\n\nExample:\n  $ ${example}`)
    .action((shell: CompletedProgram['shells'][number]) =>
      writeResult(io.stdout, [shell === 'kubectl' ? KUBECTL_SCRIPT : SHELL_SCRIPTS[shell](executable)]),
    );
}

/** Answers a script that asks for candidates; false where the words are a command line of a person. */
export async function answerCompletion(program: Command, argv: readonly string[], valuesOf: ValuesOf, io: Io): Promise<boolean> {
  if (argv[0] !== HIDDEN_COMMAND) return false;
  const { candidates, directive } = await complete(program, argv.slice(1), valuesOf);
  const lines = candidates.map(({ value, description }) => `${value}\t${shorten(description, DESCRIPTION_MAX_CHARACTERS)}\n`);
  await writeResult(io.stdout, [...lines, `:${directive}\n`]);
  return true;
}
