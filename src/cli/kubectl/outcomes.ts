import pLimit from 'p-limit';
import { messageOf } from '../../lib/errors.ts';
import { say, writeResult } from '../io.ts';
import type { KubectlContext } from './context.ts';

const CONCURRENCY = 8;

/** What a command did to one node. */
export interface NodeOutcome {
  readonly node: string;
  readonly ok: boolean;
  /** For people, without the node's name. */
  readonly text: string;
  /** Of the pass that was asked for. */
  readonly result?: string | undefined;
}

/** Does something to each node, some at a time; what fails is an outcome. In the order of the nodes. */
export async function forEachNode(nodes: readonly string[], act: (node: string) => Promise<NodeOutcome>): Promise<readonly NodeOutcome[]> {
  return await pLimit(CONCURRENCY).map(nodes, async (node) => {
    try {
      return await act(node);
    } catch (error) {
      return { node, ok: false, text: messageOf(error) };
    }
  });
}

/** One line per node to stdout, failures to stderr; as JSON everything to stdout. */
export async function printOutcomes(outcomes: readonly NodeOutcome[], output: 'table' | 'json', { io }: KubectlContext): Promise<void> {
  if (output === 'json') return writeResult(io.stdout, [`${JSON.stringify(outcomes, null, 2)}\n`]);
  for (const { node, ok, text } of outcomes) {
    if (ok) await writeResult(io.stdout, [`${node}: ${text}\n`]);
    else say(io.stderr, `kubectl basekeeper: ${node}: ${text}`);
  }
}
