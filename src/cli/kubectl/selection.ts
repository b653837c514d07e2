import { Option, type Command } from 'commander';
import { AGENT_SELECTOR, type Fleet } from '../../fleet/fleet.ts';
import { compareNodeNames } from '../../fleet/node-status.ts';
import { UsageError } from '../../lib/errors.ts';

/** Which nodes a command is for, beside those that it names. */
export interface SelectionOptions {
  readonly selector?: string;
  readonly all?: true;
  readonly agentSelector: string;
}

export function selectorOption(): Option {
  return new Option('-l, --selector <labels>', 'only nodes with these labels');
}

export function agentSelectorOption(): Option {
  return new Option('--agent-selector <labels>', 'labels of the agents’ pods').default(AGENT_SELECTOR);
}

export function addSelectionOptions(command: Command): Command {
  return command
    .addOption(new Option('-l, --selector <labels>', 'every node with these labels').conflicts('all'))
    .option('--all', 'every node that has an agent')
    .addOption(agentSelectorOption());
}

/** Throws `UsageError` where the options and the nodes that are named contradict each other, or say nothing. `usage`: how it is right. */
export function checkSelection(named: readonly string[], { selector, all }: SelectionOptions, usage: string): void {
  const selects = selector !== undefined || all === true;
  if (selects && named.length > 0) throw new UsageError(`name nodes, or give --selector or --all; not both: ${usage}`);
  if (!selects && named.length === 0) throw new UsageError(`name the nodes, or give --selector or --all: ${usage}`);
}

/** The nodes, each once. Throws when there is none. */
export async function selectedNodes(fleet: Fleet, named: readonly string[], options: SelectionOptions): Promise<readonly string[]> {
  const { selector, all, agentSelector } = options;
  if (named.length > 0) return [...new Set(named.map(nodeName))];
  const statuses = await fleet.statuses(selector);
  // Pods say more than annotations, which a new agent has not written yet, but not everybody may list them.
  const agents = all === true ? await fleet.agents(agentSelector).catch(() => []) : [];
  const withPod = new Set(agents.map(({ node }) => node));
  const nodes = statuses.filter(({ node, result }) => all !== true || result !== undefined || withPod.has(node)).map(({ node }) => node);
  if (nodes.length === 0) throw new Error(all === true ? 'no node has an agent' : `no node has the labels ${selector}`);
  return nodes.toSorted(compareNodeNames);
}

/** `node/node-1`, as `-o name` and kubectl write it, is `node-1`. */
export function nodeName(word: string): string {
  return word.replace(/^nodes?\//, '');
}
