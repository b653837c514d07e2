import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

export interface RunningAgent {
  /** Throws with the end of the agent's log when it has ended by itself. */
  assertAlive(): void;
  /** Sends SIGTERM and waits; resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `basekeeper agent` as a process of its own, its log in `<root>/agent.log`. */
export function startAgent(
  bundle: string,
  options: { readonly root: string; readonly configPath: string; readonly kubeconfigPath: string },
): RunningAgent {
  const logPath = join(options.root, 'agent.log');
  const log = openSync(logPath, 'a');
  const child: ChildProcess = spawn(process.execPath, [bundle, 'agent', '--config', options.configPath], {
    stdio: ['ignore', log, log],
    env: { ...process.env, KUBECONFIG: options.kubeconfigPath },
  });
  closeSync(log);
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    assertAlive() {
      if (ended())
        throw new Error(`the agent ended (${child.signalCode ?? child.exitCode}):\n${readFileSync(logPath, 'utf8').slice(-4000)}`);
    },
    async stop() {
      if (ended()) return child.exitCode;
      child.kill('SIGTERM');
      await once(child, 'exit');
      return child.exitCode;
    },
  };
}
