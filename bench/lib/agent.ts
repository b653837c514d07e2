/** Agents for the bench: started as the image starts them, beside objects that change. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../scripts/lib/free-port.ts';
import { createKubeClient } from '../../src/kube/client/client.ts';
import { adminKubeConfig, type KubeServer } from '../../test/helpers/kube-server.ts';
import { imageSettings } from './image.ts';
import type { BenchContext } from './row.ts';

export const CHANGES_PER_SECOND = 10;

export interface Agent {
  readonly pid: number;
  readonly url: string;
  running(): boolean;
  stop(): Promise<void>;
}

/** How a process is started otherwise than directly: what comes before Node.js's executable, which executable, and variables. */
export interface Start {
  readonly before: readonly string[];
  readonly executable: string;
  readonly env: Readonly<Record<string, string>>;
}

const DIRECTLY: Start = { before: [], executable: process.execPath, env: {} };

/** The agent as the image starts it. */
export async function startAgent(
  context: BenchContext,
  server: KubeServer,
  node: string,
  settings: object,
  { before, executable, env: more }: Start = DIRECTLY,
): Promise<Agent> {
  const port = await freePort();
  const directory = join(context.root, `${node}-${port}`);
  mkdirSync(directory);
  const config = join(directory, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({ nodeName: node, jitterSeconds: 0, maxRemovalsPerPass: 0, http: { address: '127.0.0.1', port }, ...settings }),
  );
  const log = openSync(join(directory, 'log'), 'a');
  const image = imageSettings();
  const env = { ...process.env, ...image.env, KUBECONFIG: server.kubeconfigPath, ...more };
  const [command, ...args] = [...before, executable, ...image.flags, context.bundle, 'agent', '--config', config];
  const child = spawn(command, args, { stdio: ['ignore', log, log], env });
  context.defer(() => void child.kill('SIGKILL'));
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    running: () => child.exitCode === null && child.signalCode === null,
    stop: async () => await stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(`the agent ended by itself with ${child.exitCode ?? child.signalCode}`);
  child.kill('SIGTERM');
  await once(child, 'exit');
}

export async function untilReady({ url }: Agent): Promise<void> {
  for (;;) {
    try {
      if ((await fetch(`${url}/readyz`)).ok) return;
    } catch (error) {
      // Not listening yet.
      if (!(error instanceof TypeError)) throw error;
    }
    await pause(5);
  }
}

/** Changes one object after the other, so many a second; the returned function stops that and tells how many it were. */
export function changeAllTheTime(
  server: KubeServer,
  paths: readonly string[],
  perSecond: number = CHANGES_PER_SECOND,
): () => Promise<number> {
  const client = createKubeClient({ kubeConfig: () => adminKubeConfig(server), userAgent: 'bench' });
  let changes = 0;
  const running = new Set<Promise<unknown>>();
  const timer = setInterval(() => {
    const path = paths[changes % paths.length] ?? '';
    changes += 1;
    const body = { metadata: { annotations: { 'example.org/change': String(changes) } } };
    const change: Promise<unknown> = client
      .request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' })
      .finally(() => running.delete(change));
    running.add(change);
  }, 1000 / perSecond);
  return async () => {
    clearInterval(timer);
    await Promise.all(running);
    client.close();
    return changes;
  };
}
