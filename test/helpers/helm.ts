import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { CHART } from '../../scripts/chart/generated.ts';
import { ensureHelm, type HelmMajor } from '../../scripts/lib/tools.ts';

const run = promisify(execFile);

/** An object as the chart renders it. `any` depth is read by the tests through `at`. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

export interface RenderOptions {
  readonly major?: HelmMajor;
  /** Default `basekeeper`. */
  readonly release?: string;
  /** Default `basekeeper`. */
  readonly namespace?: string;
  /** Default: the chart of the project. */
  readonly chart?: string;
}

/** What Helm prints. Rejects with what it says on stderr when it refuses. */
export async function helm(major: HelmMajor, ...args: readonly string[]): Promise<string> {
  const path = await ensureHelm(major);
  return (await run(path, args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
}

/** Everything that the chart renders with these values, hooks included, in Helm's order. */
export async function render(values: object = {}, options: RenderOptions = {}): Promise<Manifest[]> {
  const { major = 3, release = 'basekeeper', namespace = 'basekeeper', chart = CHART } = options;
  const directory = await mkdtemp(join(tmpdir(), 'basekeeper-values-'));
  try {
    // JSON, because Helm's YAML reads an unquoted "yes" as a boolean.
    const file = join(directory, 'values.json');
    await writeFile(file, JSON.stringify(values));
    return manifestsIn(await helm(major, 'template', release, chart, '--namespace', namespace, '--values', file));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors[0] !== undefined) throw document.errors[0];
      return document.toJS() as Manifest | null;
    })
    .filter((it) => it !== null);
}

/** The one object of this kind, or with this kind and name. Throws when there is none or more than one. */
export function only(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const [first, ...more] = manifests.filter((it) => it.kind === kind && (name === undefined || it.metadata.name === name));
  if (first === undefined || more.length > 0) {
    throw new Error(
      `expected one ${kind} ${name ?? ''}, found ${more.length + (first ? 1 : 0)} among ${manifests.map(titleOf).join(', ')}`,
    );
  }
  return first;
}

/** Such as `ClusterRole basekeeper`. */
export function titleOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}

/** The value at a path such as `spec.template.spec.containers.0.image`; undefined where a step does not exist. A dot in a key is written `\.`. */
export function at(value: unknown, path: string): unknown {
  let current = value;
  for (const step of path.split(/(?<!\\)\./).map((it) => it.replaceAll('\\.', '.'))) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<string, unknown>)[step];
  }
  return current;
}
