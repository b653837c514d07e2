import { Option, type Command } from 'commander';
import { UsageError } from '../../../lib/errors.ts';
import { NODE_ANNOTATIONS } from '../../../model/annotation-keys.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { withFleet, type KubectlContext } from '../context.ts';
import { forEachNode, printOutcomes, type NodeOutcome } from '../outcomes.ts';

/** `configured` takes the annotation away. */
const MODES = ['off', 'dry-run', 'enforce', 'configured'];

const EXAMPLES = `
An agent whose mode changes begins a pass by itself; "run" after it waits for that pass.
"configured" removes the annotation basekeeper.io/mode: the agent's configuration counts again.

Examples:
  $ kubectl basekeeper mode node-1 node-2 enforce
  $ kubectl basekeeper mode node-1 configured`;

export function addModeCommand(program: Command, context: KubectlContext): void {
  program
    .command('mode')
    .argument('<nodes-and-mode...>', `one or more nodes, then the mode: ${MODES.join(', ')}`)
    .usage('[options] NODE... off|dry-run|enforce|configured')
    .description('Set what the agents on these nodes do, over their configuration.')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['table', 'json']).default('table'))
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], { output }: { output: 'table' | 'json' }, command: Command) => {
      const { nodes, mode } = parseWords(words);
      const outcomes = await withFleet(command, context, (fleet) =>
        forEachNode(nodes, async (node): Promise<NodeOutcome> => {
          await fleet.annotate(node, { [NODE_ANNOTATIONS.mode]: mode === 'configured' ? null : mode });
          return { node, ok: true, text: `mode ${mode}; a pass begins at once where that changes the mode` };
        }),
      );
      await printOutcomes(outcomes, output, context);
      if (outcomes.some(({ ok }) => !ok)) context.exitWith(EXIT_CODES.failed);
    });
}

function parseWords(words: readonly string[]): { readonly nodes: readonly string[]; readonly mode: string } {
  const mode = words.at(-1) ?? '';
  if (!MODES.includes(mode))
    throw new UsageError(`the last word must be the mode, one of ${MODES.join(', ')}; not ${JSON.stringify(mode)}`);
  if (words.length < 2) throw new UsageError(`name the nodes before the mode: kubectl basekeeper mode NODE ${mode}`);
  return { nodes: [...new Set(words.slice(0, -1))], mode };
}
