/** A real OCI registry on loopback, here and in the cluster's network namespace: two processes on one directory, with one address. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../lib/free-port.ts';
import { ensureReleaseTool } from '../../lib/tools.ts';
import { until } from '../../lib/until.ts';

export interface Registry {
  /** Such as `127.0.0.1:5000`. */
  readonly address: string;
  stop(): void;
}

/** `prefix`: goes before a command that is to run in the cluster's network namespace, where there is one. */
export async function startRegistry(directory: string, prefix: readonly string[] = []): Promise<Registry> {
  mkdirSync(directory, { recursive: true });
  const address = `127.0.0.1:${await freePort()}`;
  const configuration = join(directory, 'config.yaml');
  const storage = { filesystem: { rootdirectory: join(directory, 'data') } };
  writeFileSync(configuration, JSON.stringify({ version: 0.1, log: { level: 'error' }, storage, http: { addr: address } }));
  const command = [await ensureReleaseTool('registry'), 'serve', configuration];
  const children = (prefix.length === 0 ? [[]] : [[], prefix]).map((before) => {
    const [first = '', ...rest] = [...before, ...command];
    return spawn(first, rest, { stdio: 'ignore' });
  });
  const stop = () => {
    for (const child of children) child.kill('SIGTERM');
  };
  process.once('exit', stop);
  await until('an answer of the registry', 30_000, async () => {
    const answer = await fetch(`http://${address}/v2/`).catch(() => undefined);
    return answer?.ok === true ? true : undefined;
  });
  return { address, stop };
}
