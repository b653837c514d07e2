import { Option, type Command } from 'commander';
import pLimit from 'p-limit';
import { stringify } from 'yaml';
import { countOf, listSome } from '../../../lib/text.ts';
import { diagnose, type Problem } from '../../../fleet/doctor/diagnose.ts';
import { joinValues } from '../../../fleet/doctor/values.ts';
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

/** A comment of YAML: what follows can be pasted with it. */
const ADVICE = '# Values of the chart that fix it. Leave out what runs VMs, and keep the entries of your own lists.';

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
      const values = joinValues(problems.flatMap((problem) => problem.values ?? []));
      const document = { apiVersion: 'basekeeper.io/v1', kind: 'Diagnosis', problems, values };
      const pieces = options.output === 'json' ? [`${JSON.stringify(document, null, 2)}\n`] : textOf(problems, values);
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

function textOf(problems: readonly Problem[], values: object): readonly string[] {
  if (problems.length === 0) return ['Nothing is wrong.\n'];
  const lines = problems.map(({ kind, nodes, message }) => {
    const where = nodes.length === 0 ? '' : ` (${countOf(nodes.length, 'node')}: ${listSome(nodes, NODES_SHOWN)})`;
    return `${cellText(`${kind}${where}: ${message}`)}\n`;
  });
  if (Object.keys(values).length === 0) return lines;
  // Labels come from strangers.
  const shown: unknown = JSON.parse(JSON.stringify(values), (_key, value: unknown) =>
    typeof value === 'string' ? cellText(value) : value,
  );
  return [...lines, `\n${ADVICE}\n`, stringify(shown, { lineWidth: 0 })];
}
