import type { Command } from 'commander';
import { systemClock } from '../../lib/clock.ts';
import { addConfigurationOptions, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { addHistoryOptions, historyQuery, type HistoryOptions } from '../history/options.ts';
import { withLedger, addLedgerOption, type LedgerOptions } from '../history/ledger.ts';
import { outputOption } from '../output-option.ts';
import type { OutputFormat } from '../output.ts';

interface Options extends ConfigurationOptions, LedgerOptions, HistoryOptions {
  readonly output: OutputFormat;
}

const NOTES = `
The newest record comes last. Each was on disk before its file went. -o json has the evidence of each.
Exit codes: 0 done, 1 no ledger or not readable, 2 usage or configuration.

Examples:
  $ basekeeper history --config /etc/basekeeper/config.yaml --since 7d
  $ basekeeper history --ledger /backup/node-1 --image fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0`;

export function addHistoryCommand(program: Command, context: Context): void {
  addHistoryOptions(addLedgerOption(addConfigurationOptions(program.command('history'))))
    .description('Say which base files were removed on this node, when, why, on what evidence, and who asked for it.')
    .addOption(outputOption())
    .addHelpText('after', NOTES)
    .action(async (options: Options) => {
      const query = historyQuery(options, systemClock.now().wallMs);
      await withLedger(options, context, async (ledger) => {
        const opening = { apiVersion: 'basekeeper.io/v1', kind: 'LedgerHistory', directory: ledger.directory };
        const { printHistory } = await import('../history/print.ts');
        await printHistory({ opening, isShort: query.limit > 0, entries: () => ledger.history(query) }, options.output, context);
      });
    });
}
