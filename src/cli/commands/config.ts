import type { Command } from 'commander';
import type { SettingLeaf } from '../../config/show.ts';
import { UsageError } from '../../lib/errors.ts';
import { prettyJson } from '../../lib/text.ts';
import { cellText, cutEnd } from '../../report/terminal/cells.ts';
import { tableOf, type Column, type TableStyle } from '../../report/terminal/layout.ts';
import { addConfigurationOptions, load, mustBeRight, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { writeResult } from '../io.ts';
import { outputOption } from '../output-option.ts';
import { printResult, type OutputFormat } from '../output.ts';
import { addTestRuleCommand } from './test-rule.ts';

export function addConfigCommand(program: Command, context: Context): void {
  const config = program
    .command('config')
    .description('Check, describe or show the configuration, or try its rules.')
    .addHelpText('after', '\nExample:\n  $ basekeeper config check --config config.yaml');
  addCheck(config, context);
  addSchema(config, context);
  addShow(config, context);
  addTestRuleCommand(config, context);
}

function addCheck(config: Command, context: Context): void {
  addConfigurationOptions(config.command('check'))
    .description('Report every mistake in the configuration, with its place and what to do; exit code 2 if there is one.')
    .addHelpText('after', '\nExample:\n  $ basekeeper config check --config config.yaml')
    .action(async (options: ConfigurationOptions) => {
      mustBeRight(await load(rejectStdin(options), context, { anyNode: true }));
      await writeResult(context.io.stdout, [`${options.config ?? 'the configuration'} is valid\n`]);
    });
}

function addSchema(config: Command, { io }: Context): void {
  config
    .command('schema')
    .description('Print the JSON Schema (draft 7) of the configuration file, for editors and other tools.')
    .addHelpText('after', '\nExample:\n  $ basekeeper config schema > basekeeper.schema.json')
    .action(async () => {
      const { configJsonSchema } = await import('../../config/schema/schema.ts');
      await writeResult(io.stdout, [`${JSON.stringify(configJsonSchema(), null, 2)}\n`]);
    });
}

function addShow(config: Command, context: Context): void {
  addConfigurationOptions(config.command('show'))
    .description('Print the configuration that counts, every default filled in, with where each value comes from.')
    .addOption(outputOption('yaml'))
    .addHelpText('after', '\nExample:\n  $ basekeeper config show --config config.yaml --node node-1')
    .action(async (options: ConfigurationOptions & { readonly output: OutputFormat }) => {
      const loaded = await load(rejectStdin(options), context, { anyNode: true });
      const { settings, originOf } = mustBeRight(loaded);
      const { inOrder, leavesOf, settingsYaml } = await import('../../config/show.ts');
      const leaves = leavesOf(settings, originOf);
      const printed = {
        text: (style: TableStyle) => tableOf(COLUMNS, leaves, style),
        document: inOrder(settings),
        pieces: { json: async () => [prettyJson(inOrder(settings))], yaml: async () => [settingsYaml(settings, originOf)] },
        names: () => leaves.map(({ key }) => cellText(key)),
      };
      await printResult(printed, options.output, context);
    });
}

const COLUMNS: readonly Column<SettingLeaf>[] = [
  { header: 'KEY', align: 'left', text: ({ key }) => cellText(key) },
  { header: 'VALUE', align: 'left', text: ({ value }) => cellText(value), cut: cutEnd, least: 12 },
  { header: 'FROM', align: 'left', text: ({ origin }) => cellText(origin ?? ''), cut: cutEnd, least: 12 },
];

/** Nothing here reads workloads, and a path of stdin's spool would only confuse. */
function rejectStdin(options: ConfigurationOptions): ConfigurationOptions {
  if (options.workloads === '-') throw new UsageError('--workloads - makes no sense here: no workloads are read; name a file');
  return options;
}
