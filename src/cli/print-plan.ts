import type { Plan } from '../model/plan.ts';
import type { Report } from '../model/report.ts';
import { cellText } from '../report/terminal/cells.ts';
import type { Context } from './context.ts';
import { printResult, styleFor, type OutputFormat } from './output.ts';

/** Prints a plan or report to stdout. */
export async function printPlan(plan: Plan | Report, format: OutputFormat, context: Context): Promise<void> {
  // Each format's code is loaded where it is wanted.
  const table = format === 'table' || format === 'wide' ? await import('../report/terminal/plan/table.ts') : undefined;
  const printed = {
    text: () => table?.planTable(plan, styleFor(format, context)) ?? [],
    document: plan,
    pieces: {
      json: async () => (await import('../report/terminal/plan/json.ts')).planJson(plan),
      yaml: async () => (await import('../report/terminal/plan/yaml.ts')).planYaml(plan),
    },
    names: () => namesOf(plan),
  };
  await printResult(printed, format, context);
}

function* namesOf({ files }: Plan | Report): Generator<string> {
  for (const { name } of files) yield cellText(name);
}
