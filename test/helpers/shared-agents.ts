import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { startBasekeeper, type RunningProcess } from './basekeeper.ts';
import { buildTree, type Tree, type TreeSpec } from './tree.ts';

/** For what waits for a machine that may be busy with something else. */
export const PATIENTLY = { timeout: 150_000, interval: 250 };

/** An instances directory that several hosts share, removed when the test ends. */
export function sharedTree(spec: TreeSpec): Tree {
  const tree = buildTree({ locks: { directory: true }, ...spec });
  onTestFinished(() => tree.cleanup());
  return tree;
}

/** A host without a cluster: its workloads are in a file of its own. */
export interface SharedHost {
  /** For the command line. */
  readonly configPath: string;
  readonly workloads: (workloads: readonly object[]) => void;
}

export function sharedHost(
  tree: Tree,
  name: string,
  over: { readonly sharedStorage?: object; readonly [key: string]: unknown } = {},
): SharedHost {
  const directory = join(tree.instancesPath, '..', name);
  mkdirSync(directory);
  const [configPath, path] = [join(directory, 'config.yaml'), join(directory, 'workloads.yaml')];
  const off = { enabled: false };
  const config = {
    nodeName: name,
    mode: 'enforce',
    instancesPath: tree.instancesPath,
    intervalSeconds: 1,
    jitterSeconds: 0,
    annotations: false,
    events: false,
    http: { address: '127.0.0.1', port: 0 },
    sources: { pods: off, virtualMachineInstances: off, file: { path, requireComplete: false } },
    ...over,
    sharedStorage: { enabled: true, settleSeconds: 0, ...over.sharedStorage },
  };
  writeFileSync(configPath, JSON.stringify(config));
  const workloads = (list: readonly object[]): void => writeFileSync(path, JSON.stringify({ workloads: list }));
  workloads([]);
  return { configPath, workloads };
}

/** One line of an agent's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly file?: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly reasons?: readonly { readonly reason: string; readonly message: string }[];
  readonly result?: string;
}

export interface SharedAgent extends RunningProcess {
  readonly log: () => readonly LogLine[];
}

export function startAgent({ configPath }: Pick<SharedHost, 'configPath'>, env: Record<string, string> = {}, user?: number): SharedAgent {
  const agent = startBasekeeper(['agent', '--config', configPath], { env, ...(user === undefined ? {} : { user }) });
  const text = (): string => `${agent.stdout()}\n${agent.stderr()}`;
  const log = (): LogLine[] =>
    text()
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine);
  return { ...agent, log };
}

/** Names of the base files that an agent says it removed. */
export function removedBy(agent: SharedAgent): string[] {
  return agent.log().flatMap(({ msg, file }) => (msg === 'removed an unused base file' && file !== undefined ? [file] : []));
}

/** Until the agent's last word on the gate names the reason. */
export async function untilHeld(agent: SharedAgent, reason: string, message: string): Promise<void> {
  await vi.waitFor(() => {
    const last = agent.log().findLast(({ reasons }) => reasons !== undefined);
    const found = last?.reasons?.find((closure) => closure.reason === reason);
    if (found?.message.includes(message) !== true) throw new Error(`not held for ${reason}: ${JSON.stringify(last)} ${agent.stderr()}`);
  }, PATIENTLY);
}
