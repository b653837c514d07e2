import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFileLocker } from '../../src/disk/locks/nova-lock.ts';
import type { Fault, HttpProxy, TcpProxy } from '../helpers/fault-proxy.ts';
import { qcow2Image } from '../helpers/qcow2-image.ts';
import type { Random } from '../hostile/random.ts';
import type { AgentProcess } from './agent.ts';
import type { Need, Referee } from './referee.ts';
import type { Vms } from './vms.ts';

export interface FaultParts {
  readonly instancesPath: string;
  /** The agent's way to the API server: TCP first, then HTTP. */
  readonly tcp: TcpProxy;
  readonly http: HttpProxy;
  readonly agent: AgentProcess;
  readonly referee: Referee;
  readonly vms: Vms;
  readonly random: Random;
}

const ANSWERS: readonly Fault[] = [
  { status: 500, body: 'broken' },
  { status: 503 },
  { status: 504, body: '{"kind":"Status","code":504,"reason":"Timeout"}' },
  { status: 429, headers: { 'retry-after': '1' } },
  { status: 410, body: '{"kind":"Status","code":410,"reason":"Expired"}' },
  { status: 401, body: '{"kind":"Status","code":401,"reason":"Unauthorized"}' },
  { status: 403, body: '{"kind":"Status","code":403,"reason":"Forbidden"}' },
  { status: 200, headers: { 'content-type': 'application/json' }, body: '{"kind":"PodList","items":[{"metad' },
  'reset',
  'refuse',
  'goaway',
];

type Problem = (parts: FaultParts) => Promise<void>;

/** What goes wrong, by name. Each is over when it resolves. */
const TROUBLES: Readonly<Record<string, Problem>> = {
  'some requests fail': async ({ http, random }) => {
    const answer = random.pick(ANSWERS);
    await withAnswers(http, () => (random.below(2) === 0 ? answer : undefined), 500 + random.below(2500));
  },
  'all requests fail': async ({ http, random }) => {
    const answer = random.pick(ANSWERS);
    await withAnswers(http, () => answer, 500 + random.below(3000));
  },
  'connections are reset': async ({ tcp }) => tcp.resetAll(),
  'bytes vanish': async ({ tcp, random }) => {
    tcp.stall();
    await sleep(1000 + random.below(4000));
    tcp.resume();
    tcp.resetAll();
  },
  'the agent stands still': async ({ agent, random }) => await agent.freeze(200 + random.below(2000)),
  'a file in use is from the future': async ({ instancesPath, referee, random }) => {
    const needed = referee.needed();
    if (needed.length === 0) return;
    const path = join(instancesPath, '_base', random.pick(needed));
    const seconds = Date.now() / 1000 + 86_400;
    if (existsSync(path)) utimesSync(path, seconds, seconds);
  },
  'a disk cannot be read': async ({ instancesPath, random }) => {
    const directory = join(instancesPath, 'broken-vm');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'disk'), qcow2Image({ backingFile: 'x' }).subarray(0, 60));
    await sleep(500 + random.below(2000));
    rmSync(directory, { recursive: true });
  },
  'somebody holds a lock': async ({ instancesPath, referee, vms, random }) => {
    const base = vms.anyBase();
    const lock = await createFileLocker({ locksPath: join(instancesPath, 'locks') }).acquire(base, { timeoutSeconds: 5 });
    if (lock === undefined) return;
    vms.age(base);
    await whileNeeded(referee, { who: 'the holder of its lock', base, stands: () => true }, 500 + random.below(3000));
    lock.release({ remove: false });
  },
  'a QEMU has a file open': async ({ instancesPath, referee, vms, random }) => {
    const base = vms.anyBase();
    const path = join(instancesPath, '_base', base);
    if (!existsSync(path)) return;
    const qemu = spawn('stdbuf', ['-oL', 'qemu-io', '-r', '-f', 'raw', path], { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = once(qemu, 'exit');
    qemu.stdin.on('error', () => {});
    qemu.stdin.write('length\n');
    // The answer shows that the image is open; there is none where the file went before.
    const answer = await Promise.race([once(qemu.stdout, 'data'), ended.then(() => undefined)]);
    vms.age(base);
    if (answer !== undefined)
      await whileNeeded(referee, { who: 'a QEMU', base, stands: () => qemu.exitCode === null }, 500 + random.below(3000));
    qemu.stdin.end();
    await ended;
  },
};

/** Random faults until the signal aborts; how often each was there. */
export async function problem(parts: FaultParts, signal: AbortSignal): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  const names = Object.keys(TROUBLES);
  while (!signal.aborted) {
    await sleep(300 + parts.random.below(3000), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const name = parts.random.pick(names);
    await TROUBLES[name]?.(parts);
    counts[name] = (counts[name] ?? 0) + 1;
    // It is there for tests that look at it; here it would only grow.
    parts.http.seen.length = 0;
  }
  return counts;
}

async function withAnswers(http: HttpProxy, fault: () => Fault | undefined, milliseconds: number): Promise<void> {
  http.fault = fault;
  await sleep(milliseconds);
  http.fault = () => undefined;
}

async function whileNeeded(referee: Referee, need: Need, milliseconds: number): Promise<void> {
  referee.protect(need);
  await sleep(milliseconds);
  referee.release(need);
}
