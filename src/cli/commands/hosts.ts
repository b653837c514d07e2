import { Option, type Command } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import { deceptionless, printable } from '../../lib/text.ts';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { say, writeResult } from '../io.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { ListedHost } from '../../wire/wiring.ts';

interface HostsOptions extends ConfigurationOptions {
  readonly forget?: string;
  readonly output: 'text' | 'json';
}

export function addHostsCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('hosts'))
    .description('List the hosts that share the instances directory, or forget one that is gone for good.')
    .option('--forget <host>', 'remove this host, as the list names it, from the registry')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text'))
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
        await writeResult(context.io.stdout, options.output === 'json' ? [json(hosts)] : hosts.map(line));
      }),
    );
}

function json(hosts: readonly ListedHost[]): string {
  return `${deceptionless(JSON.stringify(hosts, null, 2))}\n`;
}

function line({ name, state, registeredAt, message }: ListedHost): string {
  const detail = message === undefined ? '' : `: ${printable(message)}`;
  return `${printable(name)}  ${registeredAt === undefined ? 'not registered' : `registered ${registeredAt}`}  ${state}${detail}\n`;
}
