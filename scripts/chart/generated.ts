/** Everything that is generated from the chart and the code's schema, in memory: the script writes it, the tests compare it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { dashboardFiles } from '../../dashboards/all.ts';
import { admissionFile } from './admission.ts';
import { defaultsFile } from './defaults.ts';
import { manifestFiles } from './manifests.ts';
import { readmeWithTable } from './readme.ts';
import { describedValues } from './values-comments.ts';
import { valuesSchema } from './values-schema.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const CHART = `${ROOT}charts/basekeeper`;

/** Path from the project's root → content. `helm`: the path of a Helm 3. */
export function generatedFiles(helm: string): ReadonlyMap<string, string> {
  const source = readFileSync(`${CHART}/values.yaml`, 'utf8');
  const values = describedValues(source);
  const descriptions = new Map(values.map(({ path, description }) => [path, description]));
  const schema = valuesSchema((path) => descriptions.get(path), alertNames());
  const parsed = parse(source) as Record<string, unknown>;
  const files = new Map([
    ['charts/basekeeper/files/defaults.yaml', defaultsFile(parsed, schema)],
    ['charts/basekeeper/files/admission.yaml', admissionFile()],
    ['charts/basekeeper/values.schema.json', `${JSON.stringify(schema, undefined, 2)}\n`],
    ['charts/basekeeper/README.md', readmeWithTable(readFileSync(`${CHART}/README.md`, 'utf8'), values)],
  ]);
  const rendered = execFileSync(
    helm,
    ['template', 'basekeeper', CHART, '--namespace', 'basekeeper', '--no-hooks', '--skip-schema-validation'],
    {
      encoding: 'utf8',
    },
  );
  for (const [name, content] of dashboardFiles()) files.set(`charts/basekeeper/dashboards/${name}`, content);
  files.set('manifests/prometheus/basekeeper.rules.yaml', plainRules(helm));
  for (const [name, content] of manifestFiles(rendered, (mode) => stringify({ ...renderedConfig(rendered), mode })))
    files.set(`manifests/${name}`, content);
  return files;
}

/** The agent's configuration as the ConfigMap has it. */
function renderedConfig(rendered: string): Record<string, unknown> {
  const maps = parseAllDocuments(rendered).map((document) => document.toJS() as { kind?: string; data?: Record<string, string> } | null);
  const text = maps.find((it) => it?.kind === 'ConfigMap')?.data?.['config.yaml'];
  if (text === undefined) throw new Error('the chart renders no ConfigMap with config.yaml');
  return parse(text) as Record<string, unknown>;
}

/** The chart's alerts with their defaults as a rules file of Prometheus itself. */
function plainRules(helm: string): string {
  const args = [
    '--show-only',
    'templates/prometheusrule.yaml',
    '--set',
    'monitoring.prometheusRule.enabled=true',
    '--skip-schema-validation',
  ];
  const rendered = execFileSync(helm, ['template', 'basekeeper', CHART, ...args], { encoding: 'utf8' });
  const { spec } = parse(rendered) as { spec: object };
  return `# Generated from charts/basekeeper: npm run generate:chart\n${stringify(spec, { lineWidth: 0 })}`;
}

/** The names of the alerts that the chart has. */
export function alertNames(): string[] {
  const alerts = parse(readFileSync(`${CHART}/files/alerts.yaml`, 'utf8')) as { alert: string }[];
  return alerts.map(({ alert }) => alert);
}
