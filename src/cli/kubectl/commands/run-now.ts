import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, type Command } from 'commander';
import { timestamp } from '../../../lib/timestamp.ts';
import { NODE_ANNOTATIONS } from '../../../model/annotation-keys.ts';
import { agentProblem } from '../../../fleet/agents.ts';
import type { Fleet } from '../../../fleet/fleet.ts';
import { isSilent } from '../../../fleet/node-status.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { say } from '../../io.ts';
import { outputOption } from '../../output-option.ts';
import type { OutputFormat } from '../../output.ts';
import { withFleet, type KubectlContext } from '../context.ts';
import { forEachNode, printOutcomes, type NodeOutcome } from '../outcomes.ts';
import { addSelectionOptions, checkSelection, selectedNodes, type SelectionOptions } from '../selection.ts';

const FIRST_POLL_MS = 250;
const LONGEST_POLL_MS = 4000;

interface RunOptions extends SelectionOptions {
  readonly timeout: number;
  readonly wait: boolean;
  readonly output: OutputFormat;
}

const EXAMPLES = `
What the pass does depends on the node's mode; see "kubectl basekeeper mode --help".

Examples:
  $ kubectl basekeeper run node-1 node-2
  $ kubectl basekeeper run --selector openstack-compute-node=enabled
  $ kubectl basekeeper run node-1 --timeout 300`;

export function addRunCommand(program: Command, context: KubectlContext): void {
  addSelectionOptions(program.command('run'))
    .argument('[nodes...]', 'one or more nodes, unless --selector or --all is given')
    .description('Ask the agents on these nodes for a pass now, and wait for what it comes to.')
    .option('--timeout <seconds>', 'how long to wait for each', seconds, 120)
    .option('--no-wait', 'only ask')
    .addOption(outputOption())
    .addHelpText('after', EXAMPLES)
    .action(async (nodes: readonly string[], options: RunOptions, command: Command) => {
      checkSelection(nodes, options, 'kubectl basekeeper run NODE...');
      const outcomes = await withFleet(command, context, async (fleet) =>
        forEachNode(await selectedNodes(fleet, nodes, options), (node) => runOn(fleet, node, options, context)),
      );
      await printOutcomes(outcomes, options.output, context);
      context.exitWith(exitCodeOf(outcomes));
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 86_400)
    throw new InvalidArgumentError('It must be a number of seconds, 1 to 86400.');
  return value;
}

async function runOn(fleet: Fleet, node: string, options: RunOptions, context: KubectlContext): Promise<NodeOutcome> {
  const { timeout, wait } = options;
  const { signal } = context.io;
  const { clock, sleep } = context.time;
  const value = `${timestamp(clock.now().wallMs)}-${randomUUID().slice(0, 8)}`;
  await fleet.annotate(node, { [NODE_ANNOTATIONS.runNow]: value });
  if (!wait) return { node, ok: true, text: `asked for a pass (${NODE_ANNOTATIONS.runNow}=${value})` };
  const problem = await whyNoAnswer(fleet, node, options, context);
  if (problem !== undefined) return { node, ok: false, text: `asked for a pass, but ${problem}` };
  const endMs = clock.now().monotonicMs + timeout * 1000;
  for (let pollMs = FIRST_POLL_MS; !signal.aborted && clock.now().monotonicMs < endMs; pollMs = Math.min(2 * pollMs, LONGEST_POLL_MS)) {
    await sleep(Math.min(pollMs, endMs - clock.now().monotonicMs), signal);
    const { answered, result = 'Failed', summary = '' } = await fleet.status(node);
    if (answered === value) return { node, ok: result !== 'Failed', result, text: `${result}: ${summary}` };
  }
  const why = signal.aborted ? 'stopped waiting' : `no answer within ${timeout} s; does an agent run there? It may still come`;
  return { node, ok: false, text: `${why}: kubectl basekeeper status ${node}` };
}

/** Why there will be no answer soon. Where pods may not be listed, it waits. */
async function whyNoAnswer(
  fleet: Fleet,
  node: string,
  { agentSelector }: RunOptions,
  { io, time }: KubectlContext,
): Promise<string | undefined> {
  try {
    const agents = await fleet.agents(agentSelector, node);
    if (agents.length > 0) {
      const problem = agents.some(({ waits }) => waits) ? undefined : agentProblem(agents);
      return problem === undefined ? undefined : `the agent does not run: ${problem}`;
    }
    const without = `it has no pod with the labels ${agentSelector}`;
    if (isSilent(await fleet.status(node), time.clock.now().wallMs))
      return `no agent runs there: ${without}; if its agent has other labels, name them by --agent-selector`;
    // An agent need not be a pod.
    say(io.stderr, `kubectl basekeeper: ${node}: ${without}, but an agent wrote there lately; waiting`);
    return undefined;
  } catch {
    return undefined;
  }
}

function exitCodeOf(outcomes: readonly NodeOutcome[]): number {
  if (outcomes.some(({ ok }) => !ok)) return EXIT_CODES.failed;
  return outcomes.some(({ result }) => result === 'Held') ? EXIT_CODES.held : EXIT_CODES.done;
}
