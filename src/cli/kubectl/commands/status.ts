import { Option, type Command } from 'commander';
import { messageOf } from '../../../lib/errors.ts';
import { AGENT_SELECTOR, type Fleet } from '../../../fleet/fleet.ts';
import { withAgents } from '../../../fleet/agents.ts';
import type { NodeStatus } from '../../../fleet/node-status.ts';
import { fleetTable } from '../../../fleet/table.ts';
import { nodeStatusText, type LiveStatus } from '../../../fleet/node-text.ts';
import { asReport } from '../../agent-report.ts';
import { say, wantsColour, widthOfTerminal, writeResult } from '../../io.ts';
import { withFleet, type KubectlContext } from '../context.ts';

interface StatusOptions {
  readonly output: 'table' | 'json';
  readonly selector?: string;
  readonly agentSelector: string;
}

const EXAMPLES = `
LAST PASS is when the annotations were written last: after a change, or when heartbeatSeconds (an hour) have passed.

Examples:
  $ kubectl basekeeper status
  $ kubectl basekeeper status --selector openstack-compute-node=enabled
  $ kubectl basekeeper status node-1 -o json`;

export function addStatusCommand(program: Command, context: KubectlContext): void {
  program
    .command('status')
    .argument('[node]', 'this node in detail; default: a table of all')
    .description('Show what the agents last said: mode, result, size of the cache, what is reclaimable, what holds removals back.')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['table', 'json']).default('table'))
    .addOption(new Option('-l, --selector <labels>', 'only nodes with these labels'))
    .option('--agent-selector <labels>', 'labels of the agents’ pods', AGENT_SELECTOR)
    .addHelpText('after', EXAMPLES)
    .action((node: string | undefined, options: StatusOptions, command: Command) =>
      withFleet(command, context, (fleet) =>
        node === undefined ? showAll(fleet, options, context) : showOne(fleet, node, options, context),
      ),
    );
}

async function showAll(fleet: Fleet, options: StatusOptions, { env, io }: KubectlContext): Promise<void> {
  const { selector, output, agentSelector } = options;
  const byName = new Intl.Collator('en', { numeric: true });
  const statuses = await withProblems(fleet, await fleet.statuses(selector), agentSelector);
  const items = statuses.toSorted((left, right) => byName.compare(left.node, right.node));
  const style = { width: widthOfTerminal(io.stdout), colour: wantsColour(io.stdout, env) };
  const list = { apiVersion: 'basekeeper.io/v1', kind: 'NodeStatusList', items };
  await writeResult(io.stdout, output === 'json' ? [`${JSON.stringify(list, null, 2)}\n`] : fleetTable(items, style, Date.now()));
}

/** An agent writes at least every `heartbeatSeconds`, an hour unless configured otherwise. */
const SILENT_MS = 2 * 3_600_000;

function isSilent({ result, lastPass }: NodeStatus): boolean {
  return result === undefined || lastPass === undefined || Date.now() - Date.parse(lastPass) > SILENT_MS;
}

/** With why agents do not run, where nodes hear nothing of theirs. Pods that may not be listed change nothing. */
async function withProblems(fleet: Fleet, statuses: readonly NodeStatus[], agentSelector: string): Promise<readonly NodeStatus[]> {
  if (!statuses.some(isSilent)) return statuses;
  try {
    return withAgents(statuses, await fleet.agents(agentSelector));
  } catch {
    return statuses;
  }
}

async function showOne(fleet: Fleet, node: string, options: StatusOptions, { env, io }: KubectlContext): Promise<void> {
  const { agentSelector, output } = options;
  let status = await fleet.status(node);
  let live: LiveStatus | undefined;
  try {
    const { report } = await fleet.report(node, agentSelector);
    const { gate, findings } = asReport(report, `the agent on node ${node}`);
    live = { gate, findings };
  } catch (error) {
    [status = status] = withAgents([status], await fleet.agents(agentSelector, node).catch(() => []));
    // The annotations say most of it; that an agent cannot be asked is not what was asked for.
    say(io.stderr, `kubectl basekeeper: from the annotations alone: ${messageOf(error)}`);
  }
  const document = { apiVersion: 'basekeeper.io/v1', kind: 'NodeStatus', ...status, ...live };
  const pieces =
    output === 'json' ? [`${JSON.stringify(document, null, 2)}\n`] : nodeStatusText(status, live, Date.now(), wantsColour(io.stdout, env));
  await writeResult(io.stdout, pieces);
}
