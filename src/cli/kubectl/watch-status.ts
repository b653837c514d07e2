import type { Fleet } from '../../fleet/fleet.ts';
import { compareNodeNames, type NodeStatus } from '../../fleet/node-status.ts';
import { fleetRows } from '../../fleet/table.ts';
import { deceptionless } from '../../lib/text.ts';
import { yamlText } from '../../lib/yaml/write.ts';
import { writeResult } from '../io.ts';
import { styleFor, type OutputFormat } from '../output.ts';
import type { KubectlContext } from './context.ts';

export interface WatchStatusOptions {
  readonly output: OutputFormat;
  readonly selector?: string | undefined;
  readonly node?: string | undefined;
  readonly agentSelector: string;
}

/** All nodes as a table, then a row for each that changes, as `kubectl get --watch` does; or a document for each. Ends with the signal. */
export async function watchStatus(
  fleet: Fleet,
  { output, selector, node, agentSelector }: WatchStatusOptions,
  context: KubectlContext,
  complete: (fleet: Fleet, statuses: readonly NodeStatus[], agentSelector: string) => Promise<readonly NodeStatus[]>,
): Promise<void> {
  const linesOf = lineWriter(output, context);
  let opened = false;
  await fleet.watch({ selector, node }, async (changed) => {
    const statuses = opened ? changed : await complete(fleet, changed, agentSelector);
    opened = true;
    await writeResult(context.io.stdout, linesOf(statuses.toSorted((left, right) => compareNodeNames(left.node, right.node))));
  });
}

function lineWriter(output: OutputFormat, context: KubectlContext): (statuses: readonly NodeStatus[]) => Iterable<string> {
  if (output === 'json') return (statuses) => statuses.map((status) => `${deceptionless(JSON.stringify(documentOf(status)))}\n`);
  if (output === 'yaml') return (statuses) => statuses.map((status) => `---\n${yamlText(documentOf(status))}`);
  if (output === 'name') return (statuses) => statuses.map(({ node }) => `node/${node}\n`);
  const rowsOf = fleetRows(styleFor(output, context));
  return (statuses) => rowsOf(statuses, Date.now());
}

function documentOf(status: NodeStatus): object {
  return { apiVersion: 'basekeeper.io/v1', kind: 'NodeStatus', ...status };
}
