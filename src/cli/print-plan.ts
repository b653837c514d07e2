import { Option } from 'commander';
import type { Plan } from '../model/plan.ts';
import type { Report } from '../model/report.ts';
import type { TableStyle } from '../report/terminal/layout.ts';
import type { Context } from './context.ts';
import { wantsColour, widthOfTerminal, writeResult } from './io.ts';

export type OutputFormat = 'table' | 'json';

/** `--output table|json`. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print the result').choices(['table', 'json']).default('table');
}

/** Prints a plan or report to stdout. */
export async function printPlan(plan: Plan | Report, format: OutputFormat, { env, io }: Context): Promise<void> {
  const style = { width: widthOfTerminal(io.stdout), colour: wantsColour(io.stdout, env) };
  await writeResult(io.stdout, await piecesOf(plan, format, style));
}

async function piecesOf(plan: Plan | Report, format: OutputFormat, style: TableStyle): Promise<Iterable<string>> {
  if (format === 'json') return (await import('../report/terminal/plan-json.ts')).planJson(plan);
  return (await import('../report/terminal/plan-table.ts')).planTable(plan, style);
}
