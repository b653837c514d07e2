import { InvalidArgumentError, type Command } from 'commander';
import { countOf } from '../../lib/text.ts';
import type { LedgerEnd } from '../../model/ledger/records.ts';
import { cellText } from '../../report/terminal/cells.ts';
import { addConfigurationOptions, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { say } from '../io.ts';
import { addLedgerOption, withLedger, type LedgerOptions } from '../history/ledger.ts';
import { outputOption } from '../output-option.ts';
import { printResult, type OutputFormat } from '../output.ts';

interface Options extends ConfigurationOptions, LedgerOptions {
  readonly head?: readonly LedgerEnd[];
  readonly output: OutputFormat;
}

const NOTES = `
It reads every record: its hash, its number, and whether what was meant has an outcome. Without --head, somebody who rewrote
the whole ledger, head.json and all, is not found: note its last record elsewhere, as the node's annotation does.
Exit codes: 0 the ledger is whole, 1 it is not, or there is none, 2 usage or configuration.

Examples:
  $ basekeeper audit --config /etc/basekeeper/config.yaml
  $ basekeeper audit --ledger /backup/node-1 --head 4711:0d5e6b61602d7589`;

export function addAuditCommand(program: Command, context: Context): void {
  addLedgerOption(addConfigurationOptions(program.command('audit')))
    .description('Find every record of the ledger that was changed, removed, moved or inserted, and removals without a record.')
    .option('--head <seq:hash>', 'the number and the hash (16 digits or more) of a record, as noted elsewhere; may be repeated', head)
    .addOption(outputOption())
    .addHelpText('after', NOTES)
    .action((options: Options) =>
      withLedger(options, context, async (ledger) => {
        const noted = (options.head ?? []).map((end) => ({ ...end, by: '--head' }));
        const audit = await ledger.audit(noted, context.io.signal);
        if (audit.problems.length > 0) {
          context.exitWith(EXIT_CODES.failed);
          say(context.io.stderr, `basekeeper: the ledger is not whole: ${countOf(audit.problems.length + audit.moreProblems, 'problem')}`);
        }
        const { auditText } = await import('../../report/terminal/ledger/audit-text.ts');
        const names = () => [...new Set(audit.problems.map(({ segment = audit.directory }) => cellText(segment)))];
        await printResult({ text: (style) => auditText(audit, style), document: audit, names }, options.output, context);
      }),
    );
}

/** As the annotation and `audit` write it. */
function head(text: string, before: readonly LedgerEnd[] = []): readonly LedgerEnd[] {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{16,64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined)
    throw new InvalidArgumentError('It is a number, a colon and at least 16 hex digits, as audit prints them.');
  return [...before, { seq: Number(seq), hash }];
}
