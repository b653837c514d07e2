import { InvalidArgumentError, type Command } from 'commander';
import { stringify } from 'yaml';
import { countOf, listSome } from '../../../lib/text.ts';
import { diagnose, nodesToAsk } from '../../../fleet/doctor/diagnose.ts';
import type { Diagnosis } from '../../../fleet/doctor/problem.ts';
import { joinValues } from '../../../fleet/doctor/values.ts';
import type { Fleet } from '../../../fleet/fleet.ts';
import { VERSION } from '../../../lib/version.ts';
import { cellText } from '../../../report/terminal/cells.ts';
import type { TableStyle } from '../../../report/terminal/layout.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { outputOption } from '../../output-option.ts';
import { printResult, type OutputFormat } from '../../output.ts';
import { reportError } from '../../program.ts';
import { askAgents } from '../ask-agents.ts';
import { withFleet, type KubectlContext } from '../context.ts';
import { agentSelectorOption, selectorOption } from '../selection.ts';

const NODES_SHOWN = 5;

interface DoctorOptions {
  readonly output: OutputFormat;
  readonly selector?: string;
  readonly agentSelector: string;
  readonly silentAfter?: number;
  readonly secrets: boolean;
}

/** A comment of YAML: what follows can be pasted with it. */
const ADVICE = '# Values of the chart that fix it. Leave out what runs VMs, and keep the entries of your own lists.';

const EXAMPLES = `
Exit codes: 0 nothing is wrong, 1 something is, 2 the cluster could not be asked.

Examples:
  $ kubectl basekeeper doctor
  $ kubectl basekeeper doctor --secrets
  $ kubectl basekeeper doctor -o json`;

export function addDoctorCommand(program: Command, context: KubectlContext): void {
  program
    .command('doctor')
    .description('Say what holds which nodes and what else is wrong, with the values of the chart that fix it.')
    .addOption(outputOption())
    .addOption(selectorOption())
    .addOption(agentSelectorOption())
    .option('--silent-after <seconds>', 'an agent that has said nothing for so long is silent (default: as each agent says)', wholeSeconds)
    .option('--secrets', 'read nova.conf from Secrets as well, to see whether Nova’s own cleaner is on', false)
    .addHelpText('after', EXAMPLES)
    .action(async (options: DoctorOptions, command: Command) => {
      try {
        const diagnosis = await withFleet(command, context, (fleet) => examine(fleet, options, context));
        await print(diagnosis, options, context);
        if (diagnosis.problems.length > 0) context.exitWith(EXIT_CODES.failed);
      } catch (error) {
        reportError(error, 'kubectl basekeeper', context.io.stderr);
        context.exitWith(EXIT_CODES.usage);
      }
    });
}

function wholeSeconds(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a number of seconds, such as 7200.');
  return Number(text);
}

async function examine(fleet: Fleet, options: DoctorOptions, { time }: KubectlContext): Promise<Diagnosis> {
  const { selector, agentSelector, silentAfter: silentAfterSeconds, secrets } = options;
  const statuses = await fleet.statuses(selector);
  const surroundings = await fleet.surroundings(agentSelector);
  const seen = { statuses, surroundings, version: VERSION, nowMs: time.clock.now().wallMs, silentAfterSeconds };
  const reports = await askAgents(fleet, nodesToAsk(seen), { agentSelector }, (report) => report);
  const novaConfigs = await fleet.novaConfigs(surroundings, secrets);
  return diagnose({ ...seen, reports, novaConfigs });
}

async function print({ problems, unknown }: Diagnosis, { output }: DoctorOptions, context: KubectlContext): Promise<void> {
  const values = joinValues(problems.flatMap((problem) => problem.values ?? []));
  const document = { apiVersion: 'basekeeper.io/v1', kind: 'Diagnosis', problems, unknown, values };
  const names = () => [...new Set(problems.flatMap(({ nodes }) => nodes))].map((node) => `node/${node}`);
  const text = ({ wide }: TableStyle) => textOf({ problems, unknown }, values, wide === true ? Infinity : NODES_SHOWN);
  await printResult({ text, document, names }, output, context);
}

function textOf({ problems, unknown }: Diagnosis, values: object, nodesShown: number): readonly string[] {
  const wrong = problems.map(({ kind, nodes, message }) => {
    const where = nodes.length === 0 ? '' : ` (${countOf(nodes.length, 'node')}: ${listSome(nodes, nodesShown)})`;
    return `${cellText(`${kind}${where}: ${message}`)}\n`;
  });
  const lines = [...(wrong.length === 0 ? ['Nothing is wrong.\n'] : wrong), ...unknown.map((text) => `${cellText(`Unknown: ${text}`)}\n`)];
  if (Object.keys(values).length === 0) return lines;
  // Labels come from strangers.
  const shown: unknown = JSON.parse(JSON.stringify(values), (_key, value: unknown) =>
    typeof value === 'string' ? cellText(value) : value,
  );
  return [...lines, `\n${ADVICE}\n`, stringify(shown, { lineWidth: 0 })];
}
