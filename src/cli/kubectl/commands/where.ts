import { InvalidArgumentError, type Command } from 'commander';
import type { Fleet } from '../../../fleet/fleet.ts';
import { compareNodeNames } from '../../../fleet/node-status.ts';
import { locatedFiles } from '../../../fleet/where/located-files.ts';
import type { NodePlace } from '../../../fleet/where/node-place.ts';
import { whereSubject } from '../../../fleet/where/subject.ts';
import { whereText, type Whereabouts } from '../../../fleet/where/tables.ts';
import { wantedTable, wantedThere } from '../../../fleet/where/wanted-table.ts';
import type { TableStyle } from '../../../report/terminal/layout.ts';
import { messageOf, UsageError } from '../../../lib/errors.ts';
import { outputOption } from '../../output-option.ts';
import { printResult, type OutputFormat } from '../../output.ts';
import { AGENTS_AT_ONCE, askAgents } from '../ask-agents.ts';
import { withFleet, type KubectlContext } from '../context.ts';
import { agentSelectorOption, selectorOption } from '../selection.ts';

const MAX_PARALLEL = 64;

interface WhereOptions {
  readonly output: OutputFormat;
  readonly selector?: string;
  readonly agentSelector: string;
  readonly wide?: true;
  readonly all?: true;
  readonly wanted?: true;
  readonly parallel: number;
}

const EXAMPLES = `
Without --wide, one list of the nodes answers: agents publish the first eight digits of each image's SHA-1, and how it is used.
With --wide, the agents of the nodes that have it, or may have it, are asked, by a port-forward: for files, sizes, users and times.
With --all, every agent is: nodes where the image lies in the trash alone do not publish it.

Examples:
  $ kubectl basekeeper where fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0
  $ kubectl basekeeper where 0d5e6b61602d758984b3bf038267614d6016eb2a --wide
  $ kubectl basekeeper where fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0 -o json
  $ kubectl basekeeper where --wanted`;

export function addWhereCommand(program: Command, context: KubectlContext): void {
  program
    .command('where')
    .argument('[file-or-image]', 'an image id, or the name of a base file')
    .description('Say which nodes have an image, and whether it is used there; with --wide its files, who uses them and when they go.')
    .option('--wanted', 'instead: which nodes have the images that are wanted there')
    .option('--wide', 'ask the agents: files, sizes, users and times')
    .option('--all', 'ask every agent, for what lies in the trash alone as well; as --wide')
    .option('--parallel <agents>', 'how many agents to ask at once', agentsAtOnce, AGENTS_AT_ONCE)
    .addOption(outputOption())
    .addOption(selectorOption())
    .addOption(agentSelectorOption())
    .addHelpText('after', EXAMPLES)
    .action(async (asked: string | undefined, options: WhereOptions, command: Command) => {
      checkQuestion(asked, options);
      if (asked === undefined) return await withFleet(command, context, (fleet) => showWanted(fleet, options, context));
      const found = await withFleet(command, context, (fleet) => locate(fleet, asked, options));
      await print(found, options, context);
    });
}

function checkQuestion(asked: string | undefined, { wanted, wide, all }: WhereOptions): void {
  if (asked === undefined && wanted !== true) throw new UsageError('name an image or a base file, or give --wanted');
  if (wanted === true && (asked !== undefined || wide === true || all === true))
    throw new UsageError('--wanted asks for all wanted images: leave out the image, --wide and --all');
}

async function showWanted(fleet: Fleet, { selector, output }: WhereOptions, context: KubectlContext): Promise<void> {
  const statuses = (await fleet.statuses(selector)).toSorted((left, right) => compareNodeNames(left.node, right.node));
  const items = wantedThere(statuses);
  const printed = {
    text: (style: TableStyle) => wantedTable(items, statuses.length, style, context.time.clock.now().wallMs),
    document: { apiVersion: 'basekeeper.io/v1', kind: 'WantedImagesList', nodes: statuses.length, items },
    names: () => items.map(({ node }) => `node/${node}`),
  };
  await printResult(printed, output, context);
}

function agentsAtOnce(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MAX_PARALLEL)
    throw new InvalidArgumentError(`It is a number from 1 to ${MAX_PARALLEL}.`);
  return count;
}

async function locate(fleet: Fleet, asked: string, options: WhereOptions): Promise<Whereabouts> {
  const { selector, agentSelector, wide, all, parallel } = options;
  const listed = await fleet.places(selector, whereSubject(asked));
  const places = listed.toSorted((left, right) => compareNodeNames(left.node, right.node));
  if (wide !== true && all !== true) return { subject: asked, places, failures: new Map() };
  const asks: readonly NodePlace['answer'][] = all === true ? ['has', 'unsaid', 'not'] : ['has', 'unsaid'];
  const toAsk = places.filter(({ answer }) => asks.includes(answer)).map(({ node }) => node);
  const answers = await askAgents(fleet, toAsk, { agentSelector, parallel }, (report, node) => locatedFiles(node, report, asked));
  const files = [...answers.values()].flatMap((answer) => (answer instanceof Error ? [] : answer));
  const failures = [...answers].flatMap(([node, answer]) => (answer instanceof Error ? [[node, messageOf(answer)] as const] : []));
  return { subject: asked, places, files, failures: new Map(failures) };
}

async function print({ subject, places, files, failures }: Whereabouts, { output }: WhereOptions, context: KubectlContext): Promise<void> {
  const nodes = (answer: string) => places.filter((place) => place.answer === answer).map(({ node }) => node);
  const items = files ?? places.filter(({ answer }) => answer === 'has').map(({ node, state, lastPass }) => ({ node, state, lastPass }));
  const unknown = [
    ...nodes('silent').map((node) => ({ node, why: 'no agent has written here' })),
    ...(files === undefined ? nodes('unsaid').map((node) => ({ node, why: 'the node publishes no full list of its images' })) : []),
    ...[...failures].map(([node, why]) => ({ node, why })),
  ];
  const printed = {
    text: (style: TableStyle) => whereText({ subject, places, ...(files && { files }), failures }, style, context.time.clock.now().wallMs),
    document: { apiVersion: 'basekeeper.io/v1', kind: 'ImageLocationList', subject, nodes: places.length, items, unknown },
    names: () => [...new Set(items.map(({ node }) => `node/${node}`))],
  };
  await printResult(printed, output, context);
}
