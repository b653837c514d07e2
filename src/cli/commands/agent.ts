import type { Command } from 'commander';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';

export function addAgentCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('agent'))
    .description('Run passes on a schedule until a signal stops it. Logs JSON lines to stderr.')
    .addHelpText('after', '\nExample:\n  $ NODE_NAME=node-1 basekeeper agent --config /etc/basekeeper/config.yaml')
    .action((options: ConfigurationOptions) =>
      withConfig(options, context, async (config) => {
        const [parts, { createLogger }] = await Promise.all([context.wiring(), import('../../lib/logger.ts')]);
        const logger = createLogger({ level: config.log.level, destination: context.io.stderr });
        const agent = await parts.createAgent(config, { logger });
        await agent.run(context.io.signal);
      }),
    );
}
