import type { Command } from 'commander';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { outputOption } from '../output-option.ts';
import { printResult, type OutputFormat } from '../output.ts';

export function addPrepareCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('prepare'))
    .description(
      'Create the base directory and the lock directory where they are missing, for the owner of the directory above them; ' +
        'with sharedStorage.enabled, register this host as well. ' +
        'The chart runs it before the agent with createDirectories.enabled.',
    )
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ basekeeper prepare --config config.yaml')
    .action((options: ConfigurationOptions & { readonly output: OutputFormat }) =>
      withConfig(options, context, async (config) => {
        const wiring = await context.wiring();
        const prepared = [...wiring.prepareDirectories(config), ...(await wiring.prepareRegistry(config))];
        await printResult(
          {
            text: () => prepared.map(({ path, made }) => `${path} ${made ? 'was missing and has been made' : 'is there'}\n`),
            document: prepared,
            names: () => prepared.map(({ path }) => path),
          },
          options.output,
          context,
        );
      }),
    );
}
