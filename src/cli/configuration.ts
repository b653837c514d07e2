import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { formatConfigError } from '../config/mistakes/messages.ts';
import type { LoadedConfig, Override } from '../config/load.ts';
import { allOff } from '../config/source-kinds.ts';
import type { Config } from '../config/types.ts';
import { errnoOf, UsageError } from '../lib/errors.ts';
import type { Context } from './context.ts';

/** The options of every command that reads a configuration. */
export interface ConfigurationOptions {
  readonly config?: string;
  readonly instancesPath?: string;
  readonly workloads?: string;
  readonly node?: string;
}

export function addConfigurationOptions(command: Command): Command {
  return command
    .option('--config <file>', 'read the configuration from this YAML file')
    .option('--instances-path <directory>', 'the directory of the instance directories; wins over the configuration')
    .option('--workloads <file>', 'take the workloads from this YAML file ("-": stdin) and ask no cluster')
    .option('--node <name>', 'the name of this node; wins over the configuration and $NODE_NAME');
}

/** Calls `use` with the configuration that the options describe. Throws `UsageError` with every mistake in it. */
export async function withConfig<T>(options: ConfigurationOptions, context: Context, use: (config: Config) => Promise<T>): Promise<T> {
  if (options.workloads !== '-') return use(mustBeRight(await load(options, context)).config);
  // A pass reads its workloads more than once, stdin can be read only once.
  const directory = await mkdtemp(join(tmpdir(), 'basekeeper-'));
  try {
    const workloads = join(directory, 'workloads.yaml');
    await pipeline(context.io.stdin, createWriteStream(workloads, { mode: 0o600 }), { signal: context.io.signal });
    return await use(mustBeRight(await load({ ...options, workloads }, context)).config);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Reads the file that the options name and puts the options over it. Throws `UsageError` when the file cannot be read. */
export async function load(options: ConfigurationOptions, { env }: Context, { anyNode = false } = {}): Promise<LoadedConfig> {
  // Schema and YAML parser are half of what a command loads; what needs no configuration does without them.
  const { loadConfig } = await import('../config/load.ts');
  const text = options.config === undefined ? undefined : await readText(options.config);
  return loadConfig({ text, fileName: options.config, env, hostName: hostname(), anyNode, overrides: overridesOf(options) });
}

/** What was loaded, or a `UsageError` that lists every mistake. */
export function mustBeRight(loaded: LoadedConfig): Extract<LoadedConfig, { readonly config: Config }> {
  if (loaded.config !== undefined) return loaded;
  throw new UsageError(['the configuration has mistakes:', ...loaded.errors.map(formatConfigError)].join('\n'));
}

function overridesOf({ instancesPath, workloads, node }: ConfigurationOptions): readonly Override[] {
  return [
    ...(instancesPath === undefined ? [] : [{ origin: '--instances-path', values: { instancesPath: resolve(instancesPath) } }]),
    ...(node === undefined ? [] : [{ origin: '--node', values: { nodeName: node } }]),
    ...(workloads === undefined ? [] : [{ origin: '--workloads', values: withoutCluster(resolve(workloads)) }]),
  ];
}

function withoutCluster(path: string): Override['values'] {
  return {
    sources: { ...allOff(), file: { path } },
    annotations: false,
    events: false,
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new UsageError(`cannot read the configuration file ${path}; check --config`, { cause: error });
  }
}
