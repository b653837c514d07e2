import type { Command } from 'commander';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { say } from '../io.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { outputOption } from '../output-option.ts';
import type { OutputFormat } from '../output.ts';
import { printPlan } from '../print-plan.ts';
import { runOnePass } from '../run-pass.ts';
import { printPlanOf } from './plan.ts';

interface PassOptions extends ConfigurationOptions {
  readonly dryRun?: true;
  readonly output: OutputFormat;
}

export function addPassCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('pass'))
    .description('Run one pass now: remove what is unused and old enough, print what became of each file.')
    .option('--dry-run', 'change nothing; print the plan')
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nRemoves files unless --dry-run is given or the configuration says "mode: off".\nExit codes: 0 done, 1 failed, 2 usage or configuration, 3 held: the gate is closed.\n\nExample:\n  $ basekeeper pass --config /etc/basekeeper/config.yaml --output json',
    )
    .action((options: PassOptions) =>
      withConfig(options, context, async (config) => {
        if (config.mode === 'off' && options.dryRun === undefined)
          say(context.io.stderr, 'basekeeper: mode is off: this pass changes nothing');
        if (options.dryRun === true || config.mode === 'off') return printPlanOf(config, options.output, context);
        const report = await runOnePass(config, context, false);
        context.exitWith(exitCodeOf(report.result));
        return printPlan(report, options.output, context);
      }),
    );
}
