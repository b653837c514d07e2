import { Option, type Command } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import { addConfigurationOptions, load, mustBeRight, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { writeResult } from '../io.ts';
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
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['yaml', 'json']).default('yaml'))
    .addHelpText('after', '\nExample:\n  $ basekeeper config show --config config.yaml --node node-1')
    .action(async (options: ConfigurationOptions & { output: 'yaml' | 'json' }) => {
      const loaded = await load(rejectStdin(options), context, { anyNode: true });
      const { settings, originOf } = mustBeRight(loaded);
      const { settingsJson, settingsYaml } = await import('../../config/show.ts');
      await writeResult(context.io.stdout, [options.output === 'json' ? settingsJson(settings) : settingsYaml(settings, originOf)]);
    });
}

/** Nothing here reads workloads, and a path of stdin's spool would only confuse. */
function rejectStdin(options: ConfigurationOptions): ConfigurationOptions {
  if (options.workloads === '-') throw new UsageError('--workloads - makes no sense here: no workloads are read; name a file');
  return options;
}
