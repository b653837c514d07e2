import type { Command } from 'commander';
import { MOST_RECORDS, type HistoryQuery } from '../../../model/ledger/history.ts';
import type { LedgerEnd } from '../../../model/ledger/records.ts';
import { cellText } from '../../../report/terminal/cells.ts';
import { historyTable } from '../../../report/terminal/ledger/history/table.ts';
import type { TableStyle } from '../../../report/terminal/layout.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { asHistory, type HistoryAnswer } from '../../history/answer.ts';
import { addHistoryOptions, historyQuery, type HistoryOptions } from '../../history/options.ts';
import { say } from '../../io.ts';
import { outputOption } from '../../output-option.ts';
import { printResult, type OutputFormat } from '../../output.ts';
import { withFleet, type KubectlContext } from '../context.ts';
import { agentSelectorOption, nodeName } from '../selection.ts';

interface Options extends HistoryOptions {
  readonly output: OutputFormat;
  readonly agentSelector: string;
}

const NOTES = `
The newest record comes last. It is asked of the agent on the node, by a port-forward, and the ledger there is compared with the record that
the node's annotation names. It takes the rights to get nodes, to list pods, and to get and create pods/portforward.
Exit codes: 0 done, 1 failed, or the ledger does not have the record that the annotation names, 2 usage.

Examples:
  $ kubectl basekeeper history node-1 --since 7d
  $ kubectl basekeeper history node-1 --image fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0 -o json`;

export function addHistoryCommand(program: Command, context: KubectlContext): void {
  addHistoryOptions(program.command('history').argument('<node>', 'the node whose removals are shown'), MOST_RECORDS)
    .description('Say which base files were removed on a node, when, why, on what evidence, and who asked for it.')
    .addOption(outputOption())
    .addOption(agentSelectorOption())
    .addHelpText('after', NOTES)
    .action(async (word: string, options: Options, command: Command) => {
      const node = nodeName(word);
      const query = historyQuery(options, context.time.clock.now().wallMs);
      const { noted, answer } = await withFleet(command, context, async (fleet) => {
        const status = await fleet.status(node);
        const mark = status.lastRemoval?.ledger;
        return { noted: mark, answer: await fleet.history(node, options.agentSelector, parametersOf(query, mark)) };
      });
      const history = asHistory(answer, `the agent on node ${node}`);
      await print(history, answer, options.output, context);
      const difference = differenceOf(noted, history);
      if (difference === undefined) return;
      context.exitWith(EXIT_CODES.failed);
      say(context.io.stderr, `kubectl basekeeper: the ledger of node ${node} ${difference}`);
    });
}

async function print(
  { items, unreadable }: HistoryAnswer,
  document: unknown,
  output: OutputFormat,
  context: KubectlContext,
): Promise<void> {
  const printed = {
    text: (style: TableStyle) => historyTable({ items: () => items, unreadable: () => unreadable }, style),
    document,
    names: () => items.map(({ name }) => cellText(name)),
  };
  await printResult(printed, output, context);
}

function parametersOf({ sinceMs, untilMs, file, imageSha1, limit }: HistoryQuery, mark: LedgerEnd | undefined): URLSearchParams {
  const parameters = { since: sinceMs, until: untilMs, file, image: imageSha1, limit, mark: mark?.seq };
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value !== undefined) asked.set(key, String(value));
  return asked;
}

/** Where the ledger was rewritten, or lost its end, after the annotation was. */
function differenceOf(noted: LedgerEnd | undefined, { mark }: HistoryAnswer): string | undefined {
  if (noted === undefined || (mark?.seq === noted.seq && mark.hash === noted.hash)) return undefined;
  const what = mark === undefined ? `lacks record ${noted.seq}, which` : `has another record ${noted.seq} than`;
  return `${what} its annotation basekeeper.io/last-removal names: records were removed or rewritten; run basekeeper audit there, with --head ${noted.seq}:${noted.hash}`;
}
