import type { Command } from 'commander';
import { messageOf, UsageError } from '../../../lib/errors.ts';
import type { Fleet } from '../../../fleet/fleet.ts';
import { withAgents } from '../../../fleet/agents.ts';
import { compareNodeNames, isSilent, type NodeStatus } from '../../../fleet/node-status.ts';
import { fleetTable } from '../../../fleet/table.ts';
import { nodeStatusText, type LiveStatus } from '../../../fleet/node-text.ts';
import { asReport } from '../../agent-report.ts';
import { say } from '../../io.ts';
import { outputOption } from '../../output-option.ts';
import { printResult, type OutputFormat } from '../../output.ts';
import { withFleet, type KubectlContext } from '../context.ts';
import { agentSelectorOption, nodeName, selectorOption } from '../selection.ts';
import { watchStatus } from '../watch-status.ts';

interface StatusOptions {
  readonly output: OutputFormat;
  readonly selector?: string;
  readonly agentSelector: string;
  readonly watch?: true;
}

const EXAMPLES = `
LAST PASS is when the annotations were written last: after a change, or when heartbeatSeconds (an hour) have passed.

Examples:
  $ kubectl basekeeper status
  $ kubectl basekeeper status --watch
  $ kubectl basekeeper status --selector openstack-compute-node=enabled -o wide
  $ kubectl basekeeper status node-1 -o json`;

export function addStatusCommand(program: Command, context: KubectlContext): void {
  program
    .command('status')
    .argument('[node]', 'this node in detail; default: a table of all')
    .description('Show what the agents last said: mode, result, size of the cache, what is reclaimable, what holds removals back.')
    .addOption(outputOption())
    .addOption(selectorOption())
    .option('-w, --watch', 'then show each node that changes, until it is stopped')
    .addOption(agentSelectorOption())
    .addHelpText('after', EXAMPLES)
    .action((word: string | undefined, options: StatusOptions, command: Command) => {
      const node = word === undefined ? undefined : nodeName(word);
      if (node !== undefined && options.selector !== undefined) throw new UsageError('name a node, or give --selector; not both');
      return withFleet(command, context, async (fleet) => {
        if (options.watch === true) return watchStatus(fleet, { ...options, node }, context, withProblems);
        return node === undefined ? showAll(fleet, options, context) : showOne(fleet, node, options, context);
      });
    });
}

async function showAll(fleet: Fleet, { selector, output, agentSelector }: StatusOptions, context: KubectlContext): Promise<void> {
  const statuses = await withProblems(fleet, await fleet.statuses(selector), agentSelector);
  const items = statuses.toSorted((left, right) => compareNodeNames(left.node, right.node));
  const printed = {
    text: (style: Parameters<typeof fleetTable>[1]) => fleetTable(items, style, Date.now()),
    document: { apiVersion: 'basekeeper.io/v1', kind: 'NodeStatusList', items },
    names: () => items.map(({ node }) => `node/${node}`),
  };
  await printResult(printed, output, context);
}

/** With why agents do not run, where nodes hear nothing of theirs. Pods that may not be listed change nothing. */
async function withProblems(fleet: Fleet, statuses: readonly NodeStatus[], agentSelector: string): Promise<readonly NodeStatus[]> {
  if (!statuses.some((status) => isSilent(status, Date.now()))) return statuses;
  try {
    return withAgents(statuses, await fleet.agents(agentSelector));
  } catch {
    return statuses;
  }
}

async function showOne(fleet: Fleet, node: string, { agentSelector, output }: StatusOptions, context: KubectlContext): Promise<void> {
  let status = await fleet.status(node);
  let live: LiveStatus | undefined;
  try {
    const { report } = await fleet.report(node, agentSelector);
    const { gate, findings } = asReport(report, `the agent on node ${node}`);
    live = { gate, findings };
  } catch (error) {
    [status = status] = withAgents([status], await fleet.agents(agentSelector, node).catch(() => []));
    // The annotations say most of it; that an agent cannot be asked is not what was asked for.
    say(context.io.stderr, `kubectl basekeeper: from the annotations alone: ${messageOf(error)}`);
  }
  const printed = {
    text: ({ colour }: { readonly colour: boolean }) => nodeStatusText(status, live, Date.now(), colour),
    document: { apiVersion: 'basekeeper.io/v1', kind: 'NodeStatus', ...status, ...live },
    names: () => [`node/${status.node}`],
  };
  await printResult(printed, output, context);
}
