import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'basekeeper-demo-test-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Starts the demo as npm does, with everything that is temporary below a directory of ours. */
function startDemo(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, ['scripts/demo.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: directory, NO_COLOR: '1', ...env },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text, ended: once(child, 'close').then(([code]) => code as number | null) };
}

const TICKS_PER_SECOND = 100;

/** Of the process and those of its children that have ended, on all cores. */
function cpuSeconds(pid: number | undefined): number {
  // Behind the name, which may have blanks: the twelfth to the fifteenth field are its own and its children's time, in ticks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** Command lines of processes that still have to do with the directory. */
function processesOfDirectory(): string[] {
  const commandLines = globSync('/proc/[0-9]*/cmdline').map((path) => {
    try {
      return readFileSync(path, 'utf8').replaceAll('\0', ' ');
    } catch {
      return ''; // It has just ended.
    }
  });
  return commandLines.filter((line) => line.includes(directory));
}

const REASONS = ['ForeignFile', 'ReferencedByWorkload', 'BackingFileOfOverlay', 'PinnedByConfig', 'YoungerThanMinimumAge', 'Unused'];
const REMOVED = ['cf8833f1feff9175a39713f6aa57351040daf6f8', 'cf8833f1feff9175a39713f6aa57351040daf6f8_42949672960', 'swap_2048'];

function removedIn(output: string): string[] {
  return [...output.matchAll(/^ {2}removed _base\/(\S+)/gm)].map(([, name = '']) => name);
}

describe('npm run demo', () => {
  it('should show plan, removals, what an operator sees of them and why a file stays, on a real API server, and leave nothing behind', async () => {
    const { output, ended } = startDemo([]);
    expect({ code: await ended, output: output() }).toMatchObject({ code: 0 });
    for (const reason of REASONS) expect(output()).toContain(reason);
    // Once without an API server, and once by the agent.
    expect(removedIn(output())).toEqual([...REMOVED, ...REMOVED]);
    expect(output()).toMatch(/^Annotations: +basekeeper\.io\/cache:\s+\{/m);
    expect(output()).toMatch(/basekeeper\.io\/result: Succeeded/);
    expect(output()).toMatch(/Normal +BaseFilesRemoved/);
    expect(output()).toMatch(/^basekeeper_removed_files_total\{kind="swap"\} 1$/m);
    expect(output()).toMatch(/^node-1 +enforce +Succeeded .* 10 +151\.0 MiB +0 B/m);
    expect(output()).toMatch(/^ {2}Used by +instance-00000007: overlay /m);
    expect(readdirSync(directory)).toEqual([]);
    expect(processesOfDirectory()).toEqual([]);
  });

  it('should make the same pass on a workloads file with --no-cluster', async () => {
    const { output, ended } = startDemo(['--no-cluster']);
    expect({ code: await ended, output: output() }).toMatchObject({ code: 0 });
    for (const reason of REASONS) expect(output()).toContain(reason);
    expect(removedIn(output())).toEqual(REMOVED);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('should show plan, reason and removals within ten seconds while the API server is still being fetched', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1'); // It never answers.
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const slow = {
      XDG_CACHE_HOME: directory,
      KUBEBUILDER_ASSETS: '',
      ENVTEST_INDEX: `http://127.0.0.1:${port}/index`,
      PATH: '/nonexistent',
    };
    const started = performance.now();
    const { child, output, ended } = startDemo([], slow);
    try {
      while (removedIn(output()).length === 0) await once(child.stdout ?? child, 'data');
      const [seconds, cpu] = [(performance.now() - started) / 1000, cpuSeconds(child.pid)];
      process.stderr.write(`demo: the first removal after ${seconds.toFixed(1)} s, which took ${cpu.toFixed(1)} s of the processors\n`);
      expect(cpu).toBeLessThan(10);
      // Ten seconds for each that wants a processor at the same time.
      expect(seconds).toBeLessThan(10 * (1 + (loadavg()[0] ?? 0)));
      while (!output().includes('The same with a real kube-apiserver')) await once(child.stdout ?? child, 'data');
      for (const reason of REASONS) expect(output()).toContain(reason);
      expect(output()).toMatch(/^ {2}Used by +instance-00000007: overlay /m);
      expect(removedIn(output())).toEqual(REMOVED);
      // What was announced meanwhile comes after it, in one piece.
      while (!output().includes('downloading etcd')) await once(child.stdout ?? child, 'data');
      expect(output().indexOf('downloading etcd')).toBeGreaterThan(output().indexOf('The same with a real kube-apiserver'));
    } finally {
      child.kill('SIGINT');
      server.closeAllConnections();
      server.close();
    }
    expect(await ended).toBe(130);
  });

  it('should say loudly that there is no API server where none can be had, and go on', async () => {
    const nothing = { XDG_CACHE_HOME: directory, KUBEBUILDER_ASSETS: '', ENVTEST_INDEX: 'http://127.0.0.1:9/none', PATH: '/nonexistent' };
    const { output, ended } = startDemo([], nothing);
    expect({ code: await ended, output: output() }).toMatchObject({ code: 0 });
    expect(output()).toMatch(/WITHOUT A CLUSTER/);
    expect(output()).toMatch(/qemu-img is missing/);
    expect(removedIn(output())).toEqual(REMOVED);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'should leave no file and no process behind when it gets %s while the API server starts',
    async (signal) => {
      const { child, output, ended } = startDemo([]);
      while (processesOfDirectory().length === 0) await once(child.stdout ?? child, 'data');
      child.kill(signal);
      expect(await ended).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
      expect(readdirSync(directory)).toEqual([]);
      expect(processesOfDirectory()).toEqual([]);
      expect(output()).not.toMatch(/Error/);
    },
  );
});
