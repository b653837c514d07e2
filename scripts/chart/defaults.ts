/** The defaults of the sections that the templates rely on: charts/basekeeper/files/defaults.yaml is generated from here. */
import { stringify } from 'yaml';
import type { JsonSchema } from './values-schema.ts';

/** Sections with keys of their own that Kubernetes reads, not the chart: there null means "none", so no default may come back. */
const PASSED_ON: ReadonlySet<string> = new Set(['resources', 'updateStrategy', 'startupProbe', 'livenessProbe', 'readinessProbe']);

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, ObjectSchema>>;
}

/** Helm's templates cannot read values.yaml itself, only what was made of it and of the user's values. */
export function defaultsFile(values: Readonly<Record<string, unknown>>, schema: JsonSchema): string {
  const sections = Object.entries((schema as ObjectSchema).properties ?? {}).filter(([, { properties }]) => properties !== undefined);
  const defaults = Object.fromEntries(
    sections.filter(([key]) => !PASSED_ON.has(key)).map(([key, of]) => [key, defaultsIn(values[key], of)]),
  );
  return `# Generated from values.yaml: npm run generate:chart\n${stringify(defaults)}`;
}

function defaultsIn(value: unknown, schema: ObjectSchema): unknown {
  if (schema.properties === undefined || !isMap(value)) return value;
  const { properties } = schema;
  const entries = Object.entries(value).filter(([key, of]) => !PASSED_ON.has(key) && !isFreeMap(of, properties[key]));
  return Object.fromEntries(entries.map(([key, of]) => [key, defaultsIn(of, properties[key] ?? {})]));
}

/** Such as a selector with a default: a key of it that somebody takes out must stay out. */
function isFreeMap(value: unknown, schema: ObjectSchema | undefined): boolean {
  return schema?.properties === undefined && isMap(value) && Object.keys(value).length > 0;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
