import pLimit from 'p-limit';
import type { Fleet } from '../../fleet/fleet.ts';
import type { Report } from '../../model/report.ts';
import { asReport } from '../agent-report.ts';

/** How many agents are asked at once, unless a command says otherwise. */
export const AGENTS_AT_ONCE = 8;

export interface AskOptions {
  readonly agentSelector: string;
  readonly parallel?: number;
}

/**
 * What `read` makes of each agent's report, some at a time, or why there is none: an agent that does not answer, or not with a report, stops
 * no other. In the order of the nodes. Keeps no report that `read` does not keep.
 */
export async function askAgents<T>(
  fleet: Pick<Fleet, 'report'>,
  nodes: readonly string[],
  { agentSelector, parallel = AGENTS_AT_ONCE }: AskOptions,
  read: (report: Report, node: string) => T,
): Promise<ReadonlyMap<string, T | Error>> {
  const answers = await pLimit(parallel).map(nodes, async (node): Promise<readonly [string, T | Error]> => {
    try {
      const { report } = await fleet.report(node, agentSelector);
      return [node, read(asReport(report, `the agent on node ${node}`), node)];
    } catch (error) {
      return [node, error instanceof Error ? error : new Error(String(error))];
    }
  });
  return new Map(answers);
}
