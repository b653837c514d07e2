import type { Command } from 'commander';
import type { Config } from '../../config/types.ts';
import { planOf } from '../../report/plan-of.ts';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { say } from '../io.ts';
import { EXIT_CODES, exitCodeOf } from '../exit-codes.ts';
import { outputOption } from '../output-option.ts';
import type { OutputFormat } from '../output.ts';
import { printPlan } from '../print-plan.ts';
import { runOnePass } from '../run-pass.ts';

export function addPlanCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('plan'))
    .description('Print what a pass would do, and why; change nothing. The same as "pass --dry-run".')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ basekeeper plan --instances-path /var/lib/nova/instances --workloads workloads.yaml')
    .action((options: ConfigurationOptions & { output: OutputFormat }) =>
      withConfig(options, context, (config) => printPlanOf(config, options.output, context)),
    );
}

/** A dry run; prints the plan that it would execute. A pass that came to no plan prints only what went wrong. */
export async function printPlanOf(config: Config, output: OutputFormat, context: Context): Promise<void> {
  const report = await runOnePass(config, context, true);
  context.exitWith(exitCodeOf(report.result));
  if (report.result !== 'Failed') return printPlan(planOf(report), output, context);
  say(context.io.stderr, `basekeeper: no plan: ${report.message ?? 'the pass failed'}`);
  context.exitWith(EXIT_CODES.failed);
}
