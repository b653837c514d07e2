import type { Command } from 'commander';
import { addAgentCommand } from './commands/agent.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addCleanupCommand } from './commands/cleanup.ts';
import { addConfigCommand } from './commands/config.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addHistoryCommand } from './commands/history.ts';
import { addHostsCommand } from './commands/hosts.ts';
import { addPassCommand } from './commands/pass.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addPrepareCommand } from './commands/prepare.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addVersionCommand, VERSION_LINE } from './commands/version.ts';
import { addCompletionCommand, answerCompletion } from './completion/command.ts';
import type { Context } from './context.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { Environment, Io } from './io.ts';
import { createProgram, reportError } from './program.ts';
import type { Wiring } from '../wire/wiring.ts';

const COMPLETED = {
  executable: 'basekeeper',
  example: 'basekeeper completion bash > /etc/bash_completion.d/basekeeper',
  shells: ['bash', 'zsh', 'fish'],
} as const;

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
    const program = programFor(context);
    if (!(await answerCompletion(program, argv, async () => [], io))) await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return reportError(error, 'basekeeper', io.stderr);
  }
}

/** The command line with all of its commands. */
export function programFor(context: Context): Command {
  const program = createProgram('basekeeper', 'basekeeper', context)
    .description("Keeps the base images that this node's virtual machines use, and removes those that nothing uses any more.")
    .version(VERSION_LINE, '--version', 'print the version')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 usage or configuration, 3 held.\n\nExample:\n  $ basekeeper plan --config config.yaml',
    );
  for (const add of [
    addAgentCommand,
    addPassCommand,
    addPlanCommand,
    addExplainCommand,
    addHistoryCommand,
    addAuditCommand,
    addHostsCommand,
    addConfigCommand,
    addPrepareCommand,
    addRestoreCommand,
    addCleanupCommand,
    addVersionCommand,
  ])
    add(program, context);
  addCompletionCommand(program, context, COMPLETED);
  return program;
}
