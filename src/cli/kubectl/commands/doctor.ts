import { Option, type Command } from 'commander';
import pLimit from 'p-limit';
import { countOf, listSome } from '../../../lib/text.ts';
import { diagnose, type Problem } from '../../../fleet/doctor/diagnose.ts';
import { AGENT_SELECTOR, type Fleet } from '../../../fleet/fleet.ts';
import type { Report } from '../../../model/report.ts';
import { cellText } from '../../../report/terminal/cells.ts';
import { asReport } from '../../agent-report.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { writeResult } from '../../io.ts';
import { withFleet, type KubectlContext } from '../context.ts';

const CONCURRENCY = 8;
const NODES_SHOWN = 5;

interface DoctorOptions {
  readonly output: 'text' | 'json';
  readonly selector?: string;
  readonly agentSelector: string;
}

const EXAMPLES = `
Exit codes: 0 nothing is wrong, 1 something is, or could not be looked at.

Examples:
  $ kubectl basekeeper doctor
  $ kubectl basekeeper doctor -o json`;

export function addDoctorCommand(program: Command, context: KubectlContext): void {
  program
    .command('doctor')
    .description('Say what holds which nodes and what else is wrong, with the values of the chart that fix it.')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text'))
    .addOption(new Option('-l, --selector <labels>', 'only nodes with these labels'))
    .option('--agent-selector <labels>', 'labels of the agents’ pods', AGENT_SELECTOR)
    .addHelpText('after', EXAMPLES)
    .action(async (options: DoctorOptions, command: Command) => {
      const problems = await withFleet(command, context, (fleet) => examine(fleet, options));
      const document = { apiVersion: 'basekeeper.io/v1', kind: 'Diagnosis', problems };
      const pieces = options.output === 'json' ? [`${JSON.stringify(document, null, 2)}\n`] : textOf(problems);
      await writeResult(context.io.stdout, pieces);
      if (problems.length > 0) context.exitWith(EXIT_CODES.failed);
    });
}

async function examine(fleet: Fleet, { selector, agentSelector }: DoctorOptions): Promise<readonly Problem[]> {
  const statuses = await fleet.statuses(selector);
  const surroundings = await fleet.surroundings(agentSelector);
  const held = statuses.filter((status) => status.held.length > 0);
  const reports = await pLimit(CONCURRENCY).map(held, async ({ node }): Promise<readonly [string, Report | Error]> => {
    try {
      const { report } = await fleet.report(node, agentSelector);
      return [node, asReport(report, `the agent on node ${node}`)];
    } catch (error) {
      return [node, error instanceof Error ? error : new Error(String(error))];
    }
  });
  return diagnose({ statuses, surroundings, reports: new Map(reports) });
}

function* textOf(problems: readonly Problem[]): Generator<string> {
  if (problems.length === 0) yield 'Nothing is wrong.\n';
  for (const { kind, nodes, message, values } of problems) {
    const where = nodes.length === 0 ? '' : ` (${countOf(nodes.length, 'node')}: ${listSome(nodes, NODES_SHOWN)})`;
    yield `${cellText(`${kind}${where}: ${message}`)}\n`;
    if (values !== undefined) yield `  ${cellText(JSON.stringify(values))}\n`;
  }
}
