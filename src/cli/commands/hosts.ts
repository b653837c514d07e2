import type { Command } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import { printable } from '../../lib/text.ts';
import { cellText } from '../../report/terminal/cells.ts';
import { tableOf, type Column } from '../../report/terminal/layout.ts';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { say } from '../io.ts';
import { outputOption } from '../output-option.ts';
import { printResult, type OutputFormat } from '../output.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { ListedHost } from '../../wire/wiring.ts';

interface HostsOptions extends ConfigurationOptions {
  readonly forget?: string;
  readonly output: OutputFormat;
}

export function addHostsCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('hosts'))
    .description('List the hosts that share the instances directory, or forget one that is gone for good.')
    .option('--forget <host>', 'remove this host, as the list names it, from the registry')
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nForget a host only when none of its VMs uses the directory any more. One that is still there registers again.\n\nExample:\n  $ basekeeper hosts --config /etc/basekeeper/config.yaml --forget node-7',
    )
    .action((options: HostsOptions) =>
      withConfig(options, context, async (config) => {
        if (config.sharedStorage === undefined)
          throw new UsageError('sharedStorage.enabled is false: no host shares the directory; check --config');
        const wiring = await context.wiring();
        const notForgotten = options.forget === undefined ? undefined : await wiring.forgetHost(config, options.forget);
        const { hosts, problem } = await wiring.listHosts(config);
        for (const message of [notForgotten, problem])
          if (message !== undefined) say(context.io.stderr, `basekeeper: ${printable(message)}`);
        if (notForgotten !== undefined || problem !== undefined) context.exitWith(EXIT_CODES.failed);
        await printResult(
          { text: (style) => tableOf(COLUMNS, hosts, style), document: hosts, names: () => hosts.map(({ name }) => cellText(name)) },
          options.output,
          context,
        );
      }),
    );
}

const COLUMNS: readonly Column<ListedHost>[] = [
  { header: 'HOST', align: 'left', text: ({ name }) => cellText(name) },
  { header: 'STATE', align: 'left', text: ({ state }) => state },
  { header: 'REGISTERED', align: 'left', text: ({ registeredAt }) => registeredAt ?? '-' },
  { header: 'MESSAGE', align: 'left', text: ({ message = '' }) => cellText(message) },
];
