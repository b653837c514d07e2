import type { Command } from 'commander';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { writeResult } from '../io.ts';

export function addPrepareCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('prepare'))
    .description(
      'Create the base directory and the lock directory where they are missing, for the owner of the directory above them; ' +
        'with sharedStorage.enabled, register this host as well. ' +
        'The chart runs it before the agent with createDirectories.enabled.',
    )
    .addHelpText('after', '\nExample:\n  $ basekeeper prepare --config config.yaml')
    .action((options: ConfigurationOptions) =>
      withConfig(options, context, async (config) => {
        const wiring = await context.wiring();
        const prepared = [...wiring.prepareDirectories(config), ...(await wiring.prepareRegistry(config))];
        await writeResult(
          context.io.stdout,
          prepared.map(({ path, made }) => `${path} ${made ? 'was missing and has been made' : 'is there'}\n`),
        );
      }),
    );
}
