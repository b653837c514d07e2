import pLimit from 'p-limit';
import { messageOf } from '../../lib/errors.ts';
import { say } from '../io.ts';
import { printResult, type OutputFormat } from '../output.ts';
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

/** One line per node to stdout, failures to stderr; for programs everything to stdout. */
export async function printOutcomes(outcomes: readonly NodeOutcome[], output: OutputFormat, context: KubectlContext): Promise<void> {
  const done = outcomes.filter(({ ok }) => ok);
  const printed = {
    text: () => done.map(({ node, text }) => `${node}: ${text}\n`),
    document: outcomes,
    names: () => done.map(({ node }) => `node/${node}`),
  };
  await printResult(printed, output, context);
  if (output === 'json' || output === 'yaml') return;
  for (const { node, ok, text } of outcomes) if (!ok) say(context.io.stderr, `kubectl basekeeper: ${node}: ${text}`);
}
