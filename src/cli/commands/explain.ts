import { Option, type Command } from 'commander';
import { DEFAULT_PORT, pagesPortAfter } from '../../config/default-port.ts';
import { UsageError } from '../../lib/errors.ts';
import type { Config } from '../../config/types.ts';
import type { Plan } from '../../model/plan.ts';
import type { Report } from '../../model/report.ts';
import { planOf } from '../../report/plan-of.ts';
import { addConfigurationOptions, load, mustBeRight, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { say } from '../io.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { outputOption } from '../output-option.ts';
import type { OutputFormat } from '../output.ts';
import { runOnePass } from '../run-pass.ts';

interface ExplainOptions extends ConfigurationOptions {
  readonly agent?: string;
  readonly output: OutputFormat;
}

export function addExplainCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('explain'))
    .argument('<file-or-image>', 'a base file, or an image id: then every base file of that image')
    .description(
      'Say why a base file is still there: who uses it, which rule decided, when it becomes removable; or until when it lies in the trash, and how it comes back.',
    )
    .addOption(
      new Option(
        '--agent <url>',
        'take the last report of this agent; default: the one on this node, where no --workloads is given',
      ).conflicts(['workloads', 'instancesPath']),
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ basekeeper explain 0d5e6b61602d758984b3bf038267614d6016eb2a\n  $ basekeeper explain fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0 --workloads workloads.yaml',
    )
    .action(async (subject: string, options: ExplainOptions) => {
      const plan = await planFor(options, context);
      if (plan === undefined) return;
      const [{ explain }, { restoreHere }, { printExplanation }] = await Promise.all([
        import('../../report/explain/explain.ts'),
        import('../../report/explain/restore-command.ts'),
        import('../print-explanation.ts'),
      ]);
      await printExplanation(explain(plan, subject, restoreHere(plan.basePath, options.config)), options.output, 'basekeeper', context);
    });
}

/** From the agent's last report, or computed where the workloads are given. Undefined when the pass failed; then that has been said. */
async function planFor(options: ExplainOptions, context: Context): Promise<Plan | Report | undefined> {
  if (options.workloads !== undefined) return withConfig(options, context, (config) => computed(config, context));
  if (options.instancesPath !== undefined) {
    throw new UsageError('--instances-path needs --workloads; without both, the agent that runs on this node is asked');
  }
  const { fetchReport } = await import('../agent-report.ts');
  const report = await fetchReport(options.agent ?? (await agentOfThisNode(options, context)), context.io.signal);
  if (report.result !== 'Skipped' || options.agent !== undefined) return report;
  // An agent whose mode is off looks at nothing, so its report says nothing of any file.
  say(context.io.stderr, 'basekeeper: the mode of the agent is off, so it has looked at nothing; looking at the disk');
  return withConfig(options, context, (config) => computed(config, context));
}

async function agentOfThisNode(options: ExplainOptions, context: Context): Promise<string> {
  const http = options.config === undefined ? undefined : mustBeRight(await load(options, context)).config.http;
  return `http://127.0.0.1:${http?.pagesPort ?? pagesPortAfter(DEFAULT_PORT)}`;
}

async function computed(config: Config, context: Context): Promise<Plan | undefined> {
  const report = await runOnePass(config, context, true);
  if (report.result !== 'Failed') return planOf(report);
  say(context.io.stderr, `basekeeper: nothing to explain: ${report.message ?? 'the pass failed'}`);
  context.exitWith(EXIT_CODES.failed);
  return undefined;
}
