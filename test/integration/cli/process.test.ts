import { cpSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import type { AddressInfo } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cacheFileName } from '../../../src/model/names.ts';
import { errnoOf } from '../../../src/lib/errors.ts';
import { basekeeper, BUNDLE, start, startBasekeeper, type RunningProcess } from '../../helpers/basekeeper.ts';
import { startLockHolder } from '../../helpers/execute-tree.ts';
import { buildTree, DAY, type Tree } from '../../helpers/tree.ts';

const UNUSED = cacheFileName('image-unused');

/** A tree with `count` unused base files, and the options for it. */
function world(count: number, configuration = ''): { tree: Tree; options: readonly string[] } {
  const names = [UNUSED, ...Array.from({ length: count - 1 }, (_, index) => cacheFileName(`image-${index}`))];
  const tree = buildTree({
    locks: { directory: true },
    ...Object.fromEntries(names.map((name) => [`_base/${name}`, { ageSeconds: 2 * DAY }])),
  });
  onTestFinished(tree.cleanup);
  const workloads = tree.path('../workloads.yaml');
  writeFileSync(workloads, 'workloads: [{name: instance-00000001, imageRef: image-used}]\n');
  const config = tree.path('../config.yaml');
  writeFileSync(config, configuration);
  return { tree, options: ['--config', config, '--instances-path', tree.instancesPath, '--workloads', workloads] };
}

async function until<T>(read: () => T | undefined): Promise<T> {
  for (;;) {
    const value = read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** True while the process has the path open. */
function holdsOpen(pid: number, path: string): true | undefined {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => targetOf(`/proc/${pid}/fd/${fd}`) === path) ? true : undefined;
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch (error) {
    // It was closed since it was listed.
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A pass that waits for a Nova lock that somebody else holds. */
async function passThatWaits(): Promise<{ running: RunningProcess; tree: Tree }> {
  const { tree, options } = world(1, 'lockTimeoutSeconds: 600\n');
  const lock = tree.path(`locks/nova-${UNUSED}`);
  expect(await startLockHolder().ask(`lockf ${lock}`)).toBe('held');
  const running = startBasekeeper(['pass', '--output', 'json', ...options]);
  // The base directory is open while a plan is carried out, the lock file only at each attempt.
  await until(() => holdsOpen(running.pid, tree.basePath));
  return { running, tree };
}

describe('signals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'should make a pass stop at %s with a report of what it left, and exit code 1',
    async (signal) => {
      const { running, tree } = await passThatWaits();
      running.child.kill(signal);
      const ended = await running.ended;
      expect(ended).toMatchObject({ code: 1, signal: null, stderr: '' });
      expect(JSON.parse(ended.stdout)).toMatchObject({ kind: 'Report', result: 'Failed', totals: { removedFiles: 0 } });
      expect(readdirSync(tree.basePath)).toEqual([UNUSED]);
    },
  );

  it('should stop an agent with exit code 0', async () => {
    const { options } = world(1, 'http: {address: 127.0.0.1, port: 0}\njitterSeconds: 0\n');
    const agent = startBasekeeper(['agent', ...options]);
    await until(() => (agent.stderr().includes('pass ended') ? true : undefined));
    agent.child.kill('SIGTERM');
    expect(await agent.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    const lines = agent.stderr().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain('the agent has stopped');
  });
});

describe('a reader that has seen enough', () => {
  it.each(['table', 'json'])('should end a long %s quietly', async (format) => {
    const { options } = world(3000);
    const shell = start('/bin/bash', [
      '-c',
      `"$0" "$@" | head -1; echo "\${PIPESTATUS[0]}"`,
      process.execPath,
      BUNDLE,
      'plan',
      '--output',
      format,
      ...options,
    ]);
    const { stdout, stderr } = await shell.ended;
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual([expect.stringMatching(format === 'json' ? /^\{$/ : /^Plan for /), '0', '']);
  });
});

describe('a terminal', () => {
  /** Back to the first column, and the line is empty. */
  const CLEARED = '\r\u001B[K';

  /** Runs under a pseudo terminal of 80 columns; stdout and stderr are one there. */
  function onTerminal(args: readonly string[], env: Record<string, string> = {}): RunningProcess {
    const quoted = [process.execPath, BUNDLE, ...args].map((part) => `'${part}'`).join(' ');
    return start('script', ['-qec', `stty cols 80; ${quoted}`, '/dev/null'], { env: { TERM: 'xterm', SHELL: '/bin/sh', ...env } });
  }

  it('should get colours and lines that fit', async () => {
    const { options } = world(3);
    const { code, stdout } = await onTerminal(['plan', ...options]).ended;
    expect(code).toBe(0);
    expect(stdout).toContain('\u001B[31mremove');
    const rows = stdout.split('\r\n').filter((line) => line.includes('Unused'));
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.filter((line) => stripVTControlCharacters(line).length > 80)).toEqual([]);
  });

  it('should get no colours with NO_COLOR', async () => {
    const { options } = world(3);
    const { stdout } = await onTerminal(['plan', ...options], { NO_COLOR: '1' }).ended;
    // What a slow machine shows of its progress is erased again, which is not a colour.
    expect(stdout.replaceAll('\u001B[K', '')).not.toContain('\u001B[');
  });

  it('should see what a long pass does, on a line that goes away', async () => {
    const { tree, options } = world(1, 'lockTimeoutSeconds: 600\n');
    const holder = startLockHolder();
    const lock = tree.path(`locks/nova-${UNUSED}`);
    await holder.ask(`lockf ${lock}`);
    const running = onTerminal(['pass', ...options]);
    await until(() => (running.stdout().includes(`${CLEARED}basekeeper: carrying out the plan, `) ? true : undefined));
    await holder.ask(`unlock ${lock}`);
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    expect(stdout.lastIndexOf(CLEARED)).toBeGreaterThan(stdout.lastIndexOf('carrying out the plan'));
    expect(stdout.lastIndexOf('Succeeded')).toBeGreaterThan(stdout.lastIndexOf(CLEARED));
  });
});

describe('explain from a running agent', () => {
  it('should take the last report of the agent', async () => {
    const { options } = world(1, 'http: {address: 127.0.0.1, port: 0}\njitterSeconds: 0\n');
    const agent = startBasekeeper(['agent', ...options]);
    const port = await until(() => /"pagesPort":(\d+)/.exec(agent.stderr())?.[1]);
    await until(() => (agent.stderr().includes('pass ended') ? true : undefined));
    const ran = await basekeeper(['explain', 'image-unused', '--agent', `http://127.0.0.1:${port}`]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain(`\n${UNUSED}\n`);
    expect(ran.stdout).toContain('The next pass that enforces removes it.');
  });

  it('should look at the disk when the mode of the agent is off', async () => {
    const { tree, options } = world(1, 'mode: off\nhttp: {address: 127.0.0.1, port: 0}\njitterSeconds: 0\n');
    const agent = startBasekeeper(['agent', ...options]);
    const port = await until(() => /"pagesPort":(\d+)/.exec(agent.stderr())?.[1]);
    await until(() => (agent.stderr().includes('pass ended') ? true : undefined));
    const config = tree.path('../asking.yaml');
    const workloads = options[options.indexOf('--workloads') + 1] ?? '';
    const instances = options[options.indexOf('--instances-path') + 1] ?? tree.path('.');
    const sources = `sources: {file: {path: ${workloads}}, pods: {enabled: false}, virtualMachineInstances: {enabled: false}}`;
    writeFileSync(
      config,
      `nodeName: n\nannotations: false\nevents: false\ninstancesPath: ${instances}\n${sources}\nhttp: {pagesPort: ${port}}\n`,
    );
    const ran = await basekeeper(['explain', 'image-unused', '--config', config]);
    expect(ran.stderr).toContain('the mode of the agent is off, so it has looked at nothing; looking at the disk\n');
    expect(ran.stdout).toContain(`\n${UNUSED}\n`);
    expect(ran.code).toBe(0);
  });

  async function answering(status: number, body: string): Promise<string> {
    const server = createServer((_request, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it.each([
    [503, 'no pass has ended yet', /answers 503 .*: it may have run no pass yet/],
    [200, 'hello', /is not JSON; check --agent/],
    [200, '{"kind":"Report"}', /is not a report that this version of Basekeeper can read; check --agent/],
    [401, '', /answers 401 .*: is it an agent of Basekeeper\?/],
  ])('should say what is wrong with an answer of %i %s', async (status, body, message) => {
    const ran = await basekeeper(['explain', 'x', '--agent', await answering(status, body)]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(message);
  });

  it('should say what to do when no agent answers', async () => {
    const { tree } = world(1);
    const config = tree.path('../agent.yaml');
    writeFileSync(config, 'nodeName: n\nhttp: {pagesPort: 1}\n');
    const ran = await basekeeper(['explain', 'x', '--config', config]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(
      /^basekeeper: no agent answers at http:\/\/127\.0\.0\.1:1\/report; is it running on this node\? Else give --agent URL, or --workloads FILE/,
    );
  });
});

describe('a bundle without its packages', () => {
  it('should say in one sentence what is missing and what to do', async () => {
    const { tree, options } = world(1);
    cpSync(dirname(BUNDLE), tree.path('../bundle'), { recursive: true });
    const ran = await start(process.execPath, [tree.path('../bundle/basekeeper.js'), 'pass', ...options]).ended;
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(
      /^basekeeper: Cannot find package 'fs-native-extensions'.*; .*run it in the directory where npm installed it, or from the container image\n$/,
    );
  });
});
