import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { ConfigurationOptions } from '../configuration.ts';
import { withConfig } from '../configuration.ts';
import type { Context } from '../context.ts';
import type { LedgerReading } from '../../wire/wiring.ts';

export interface LedgerOptions {
  readonly ledger?: string;
}

export function addLedgerOption(command: Command): Command {
  return command.addOption(
    new Option('--ledger <directory>', 'read the ledger in this directory, such as a copy; default: the ledger of this node').conflicts([
      'config',
      'instancesPath',
      'workloads',
      'node',
    ]),
  );
}

/** Calls `use` with the ledger that the options name, and closes it. Throws an error that says what to do where there is none. */
export async function withLedger(
  options: ConfigurationOptions & LedgerOptions,
  context: Context,
  use: (ledger: LedgerReading) => Promise<void>,
): Promise<void> {
  if (options.ledger !== undefined) return useLedger({ directory: resolve(options.ledger) }, context, use);
  // No workloads are asked for: nothing is removed.
  const asked = { ...options, workloads: options.workloads ?? '/dev/null' };
  await withConfig(asked, context, (config) => useLedger({ config }, context, use));
}

async function useLedger(
  source: Parameters<Awaited<ReturnType<Context['wiring']>>['openLedger']>[0],
  context: Context,
  use: (ledger: LedgerReading) => Promise<void>,
): Promise<void> {
  const ledger = await (await context.wiring()).openLedger(source);
  try {
    await use(ledger);
  } finally {
    ledger.close();
  }
}
