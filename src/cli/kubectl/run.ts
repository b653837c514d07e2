import type { Command } from 'commander';
import { EXIT_CODES } from '../exit-codes.ts';
import { systemClock } from '../../lib/clock.ts';
import { sleep } from '../../lib/sleep.ts';
import { createProgram, reportError } from '../program.ts';
import { addVersionCommand, VERSION_LINE } from '../commands/version.ts';
import { addCompletionCommand, answerCompletion } from '../completion/command.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addHistoryCommand } from './commands/history.ts';
import { addModeCommand } from './commands/mode.ts';
import { addRunCommand } from './commands/run-now.ts';
import { addStatusCommand } from './commands/status.ts';
import { addWhereCommand } from './commands/where.ts';
import { valuesFrom } from './completed-values.ts';
import type { KubectlContext } from './context.ts';

const NAME = 'kubectl basekeeper';
const NOTES = `
It works from the nodes' annotations; only explain, history, doctor, where --wide, and details of status NODE, ask an agent, by a port-forward.

Exit codes: 0 done, 1 failed, 2 usage, 3 a pass that run asked for was held.

Examples:
  $ kubectl basekeeper status
  $ kubectl basekeeper mode node-1 enforce
  $ kubectl basekeeper run node-1`;

const COMPLETED = {
  executable: 'kubectl-basekeeper',
  example: `${NAME} completion kubectl > /usr/local/bin/kubectl_complete-basekeeper`,
  shells: ['kubectl', 'bash', 'zsh', 'fish'],
} as const;

export type KubectlParts = Pick<KubectlContext, 'env' | 'io' | 'connect'> & Partial<Pick<KubectlContext, 'time'>>;

/**
 * Runs one command line of the kubectl plugin.
 *
 * @param argv the arguments after `kubectl basekeeper`
 * @returns the exit code. Never throws.
 */
export async function runKubectl(
  argv: readonly string[],
  { env, io, connect, time = { clock: systemClock, sleep } }: KubectlParts,
): Promise<number> {
  let exitCode: number = EXIT_CODES.done;
  try {
    const context: KubectlContext = { env, io, connect, time, exitWith: (code) => (exitCode = code) };
    const program = kubectlProgramFor(context);
    if (!(await answerCompletion(program, argv, valuesFrom(context), io))) await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return reportError(error, NAME, io.stderr);
  }
}

/** The command line of the plugin with all of its commands. */
export function kubectlProgramFor(context: KubectlContext): Command {
  const program = createProgram(NAME, NAME, context)
    .description('Shows and steers Basekeeper on the nodes of a cluster.')
    .version(VERSION_LINE, '--version', 'print the version')
    .option('--kubeconfig <file>', 'the kubeconfig; default: $KUBECONFIG, the service account of a pod, or ~/.kube/config')
    .option('--context <name>', 'the context of the kubeconfig')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', NOTES);
  for (const add of [
    addStatusCommand,
    addRunCommand,
    addModeCommand,
    addExplainCommand,
    addHistoryCommand,
    addWhereCommand,
    addDoctorCommand,
    addVersionCommand,
  ])
    add(program, context);
  addCompletionCommand(program, context, COMPLETED);
  return program;
}
