import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Workload } from '../../model/workload.ts';
import { asArray, asText, at, field } from '../../lib/json.ts';
import { errnoOf, UsageError } from '../../lib/errors.ts';
import { printable } from '../../lib/text.ts';
import type { YamlProblem } from '../../lib/yaml/document.ts';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { outputOption } from '../output-option.ts';
import { printResult, type OutputFormat } from '../output.ts';
import type { TriedRule } from '../../wire/wiring.ts';

interface TestRuleOptions extends ConfigurationOptions {
  readonly object: string;
  readonly output: OutputFormat;
}

/** One object with what each rule makes of it. */
interface Trial {
  readonly object: string;
  readonly rules: readonly TriedRule[];
}

export function addTestRuleCommand(config: Command, context: Context): void {
  addConfigurationOptions(config.command('test-rule'))
    .description('Show what the rules of sources.rules make of an object; exit code 3 if one of them has a gap or a notice.')
    .requiredOption('--object <file>', 'the object, or a list of objects, as YAML or JSON, as "kubectl get -o yaml" prints it')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ basekeeper config test-rule --config config.yaml --node node-1 --object vm.yaml')
    .action((options: TestRuleOptions) =>
      withConfig(options, context, async ({ sources, nodeName, subdirectoryName }) => {
        if (sources.rules.length === 0) throw new UsageError('the configuration has no rule; check --config, and sources.rules in it');
        const objects = await readObjects(options.object);
        const wiring = await context.wiring();
        const about = { rules: sources.rules, nodeName, subdirectoryName };
        const trials = await Promise.all(
          objects.map(async (object): Promise<Trial> => ({ object: nameOf(object), rules: await wiring.tryRules(about, object) })),
        );
        const names = () => trials.map(({ object }) => printable(object));
        await printResult({ text: () => [trials.map(trialText).join('\n')], document: trials, names }, options.output, context);
        if (trials.some(({ rules }) => rules.some(({ gaps, notices }) => gaps.length + notices.length > 0)))
          context.exitWith(EXIT_CODES.held);
      }),
    );
}

/** The objects of the file, and the items of its lists. Throws `UsageError`. */
async function readObjects(path: string): Promise<readonly unknown[]> {
  const { parseYamlDocuments } = await import('../../lib/yaml/document.ts');
  const parsed = parseYamlDocuments(await readText(path));
  if (parsed.problems !== undefined)
    throw new UsageError(`${path} is not valid YAML or JSON: ${parsed.problems.map(problemText).join('; ')}`);
  const objects = parsed.values.flatMap((document): readonly unknown[] => {
    const items = asArray(field(document, 'items'));
    return asText(field(document, 'kind'))?.endsWith('List') === true && items !== undefined ? items : [document];
  });
  if (objects.length === 0 || !objects.every((object) => asText(field(object, 'kind')) !== undefined)) {
    throw new UsageError(`${path} holds something that is not a Kubernetes object: apiVersion and kind are missing`);
  }
  return objects;
}

function problemText({ message, at: position }: YamlProblem): string {
  return position === undefined ? message : `line ${position.line}: ${message}`;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new UsageError(`cannot read ${path}; check --object`, { cause: error });
  }
}

function nameOf(object: unknown): string {
  const names = [at(object, 'metadata', 'namespace'), at(object, 'metadata', 'name')].map(asText).filter((name) => name !== undefined);
  return `${asText(field(object, 'kind'))} ${names.join('/')}`;
}

function trialText({ object, rules }: Trial): string {
  return [printable(object), ...rules.flatMap((rule) => ruleLines(rule).map((text) => `  ${printable(text)}`)), ''].join('\n');
}

function ruleLines({ source, selected, workload, gaps, notices, baseFiles }: TriedRule): string[] {
  if (!selected) return [`${source}: does not select it`];
  if (workload === undefined) return [`${source}: selects it, but it belongs to another node`];
  const doubts = [...gaps.map(({ message }) => `gap: ${message}`), ...notices.map((notice) => `notice: ${notice}`)];
  const parts = [...workloadLines(workload), ...line('base files', baseFiles), ...doubts];
  return [`${source}: a workload of this node`, ...parts.map((part) => `  ${part}`)];
}

function workloadLines({ instanceNames, images, swapMb, ephemeral, paths }: Workload): string[] {
  return [
    ...line('instance directories', instanceNames),
    ...images.map(({ role, ref }) => `${role}: ${ref}`),
    ...line('swap MB', swapMb.map(String)),
    ...line(
      'ephemeral GB',
      ephemeral.map(({ sizeGb, filesystem }) => (filesystem === undefined ? `${sizeGb}` : `${sizeGb}:${filesystem}`)),
    ),
    ...line('paths', paths),
  ];
}

function line(label: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`${label}: ${values.join(', ')}`];
}
