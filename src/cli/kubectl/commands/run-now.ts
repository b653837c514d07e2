import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { timestamp } from '../../../lib/timestamp.ts';
import { NODE_ANNOTATIONS } from '../../../model/annotation-keys.ts';
import { agentProblem } from '../../../fleet/agents.ts';
import { AGENT_SELECTOR, type Fleet } from '../../../fleet/fleet.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { say, type Io } from '../../io.ts';
import { withFleet, type KubectlContext } from '../context.ts';
import { forEachNode, printOutcomes, type NodeOutcome } from '../outcomes.ts';

const FIRST_POLL_MS = 250;
const LONGEST_POLL_MS = 4000;

interface RunOptions {
  readonly timeout: number;
  readonly wait: boolean;
  readonly output: 'table' | 'json';
  readonly agentSelector: string;
}

const EXAMPLES = `
What the pass does depends on the node's mode; see "kubectl basekeeper mode --help".

Examples:
  $ kubectl basekeeper run node-1 node-2
  $ kubectl basekeeper run node-1 --timeout 300`;

export function addRunCommand(program: Command, context: KubectlContext): void {
  program
    .command('run')
    .argument('<nodes...>', 'one or more nodes')
    .description('Ask the agents on these nodes for a pass now, and wait for what it comes to.')
    .option('--timeout <seconds>', 'how long to wait for each', seconds, 120)
    .option('--no-wait', 'only ask')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['table', 'json']).default('table'))
    .option('--agent-selector <labels>', 'labels of the agents’ pods', AGENT_SELECTOR)
    .addHelpText('after', EXAMPLES)
    .action(async (nodes: readonly string[], options: RunOptions, command: Command) => {
      const outcomes = await withFleet(command, context, (fleet) =>
        forEachNode([...new Set(nodes)], (node) => runOn(fleet, node, options, context)),
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

async function runOn(fleet: Fleet, node: string, options: RunOptions, { io, time }: KubectlContext): Promise<NodeOutcome> {
  const { timeout, wait } = options;
  const { signal } = io;
  const { clock, sleep } = time;
  const value = `${timestamp(clock.now().wallMs)}-${randomUUID().slice(0, 8)}`;
  await fleet.annotate(node, { [NODE_ANNOTATIONS.runNow]: value });
  if (!wait) return { node, ok: true, text: `asked for a pass (${NODE_ANNOTATIONS.runNow}=${value})` };
  const problem = await whyNoAnswer(fleet, node, options, io);
  if (problem !== undefined) return { node, ok: false, text: `asked for a pass, but the agent does not run: ${problem}` };
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
async function whyNoAnswer(fleet: Fleet, node: string, { agentSelector }: RunOptions, { stderr }: Io): Promise<string | undefined> {
  try {
    const agents = await fleet.agents(agentSelector, node);
    if (agents.length === 0) say(stderr, `kubectl basekeeper: ${node}: it has no pod with the labels ${agentSelector}; waiting anyway`);
    return agents.some(({ waits }) => waits) ? undefined : agentProblem(agents);
  } catch {
    return undefined;
  }
}

function exitCodeOf(outcomes: readonly NodeOutcome[]): number {
  if (outcomes.some(({ ok }) => !ok)) return EXIT_CODES.failed;
  return outcomes.some(({ result }) => result === 'Held') ? EXIT_CODES.held : EXIT_CODES.done;
}
