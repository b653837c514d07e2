import type { Command } from 'commander';
import { UsageError } from '../../../lib/errors.ts';
import { NODE_ANNOTATIONS } from '../../../model/annotation-keys.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { outputOption } from '../../output-option.ts';
import type { OutputFormat } from '../../output.ts';
import { addSelectionOptions, checkSelection, selectedNodes, type SelectionOptions } from '../selection.ts';
import { withFleet, type KubectlContext } from '../context.ts';
import { forEachNode, printOutcomes, type NodeOutcome } from '../outcomes.ts';

/** `configured` takes the annotation away. */
export const MODES = ['off', 'dry-run', 'enforce', 'configured'];

const EXAMPLES = `
An agent whose mode changes begins a pass by itself; "run" after it waits for that pass.
"configured" removes the annotation basekeeper.io/mode: the agent's configuration counts again.

Examples:
  $ kubectl basekeeper mode node-1 node-2 enforce
  $ kubectl basekeeper mode --selector openstack-compute-node=enabled dry-run
  $ kubectl basekeeper mode node-1 configured`;

const USAGE = `kubectl basekeeper mode NODE... ${MODES.join('|')}`;

interface ModeOptions extends SelectionOptions {
  readonly output: OutputFormat;
}

export function addModeCommand(program: Command, context: KubectlContext): void {
  addSelectionOptions(program.command('mode'))
    .argument('<nodes-and-mode...>', `one or more nodes, unless --selector or --all is given, then the mode: ${MODES.join(', ')}`)
    .usage(`[options] [NODE...] ${MODES.join('|')}`)
    .description('Set what the agents on these nodes do, over their configuration.')
    .addOption(outputOption())
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: ModeOptions, command: Command) => {
      const { named, mode } = parseWords(words, options);
      const outcomes = await withFleet(command, context, async (fleet) =>
        forEachNode(await selectedNodes(fleet, named, options), async (node): Promise<NodeOutcome> => {
          await fleet.annotate(node, { [NODE_ANNOTATIONS.mode]: mode === 'configured' ? null : mode });
          return { node, ok: true, text: `mode ${mode}; a pass begins at once where that changes the mode` };
        }),
      );
      await printOutcomes(outcomes, options.output, context);
      if (outcomes.some(({ ok }) => !ok)) context.exitWith(EXIT_CODES.failed);
    });
}

function parseWords(words: readonly string[], options: ModeOptions): { readonly named: readonly string[]; readonly mode: string } {
  const mode = words.at(-1) ?? '';
  if (!MODES.includes(mode))
    throw new UsageError(`the last word must be the mode, one of ${MODES.join(', ')}; not ${JSON.stringify(mode)}`);
  const named = words.slice(0, -1);
  checkSelection(named, options, USAGE);
  return { named, mode };
}
