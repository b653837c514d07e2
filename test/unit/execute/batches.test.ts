import { describe, expect, it } from 'vitest';
import { batchSizeFor } from '../../../src/execute/batches.ts';
import { createExecutor, type ExecutorParts } from '../../../src/execute/executor.ts';
import type { UseCheck } from '../../../src/model/ports.ts';
import { DAY_MS, executionPolicy, nobody, plannedFile, planOf } from '../../helpers/execute-plans.ts';
import { MemoryBaseDirectory, MemoryLocker } from '../../helpers/memory-execute.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);

interface Options {
  readonly count: number;
  readonly batchSize?: ExecutorParts['batchSize'];
  readonly inUse?: UseCheck;
  readonly signal?: AbortSignal;
  /** Monotonic time that passes with each unlink, in ms. */
  readonly unlinkMs?: number;
}

/** `count` old files that nobody uses, f0 and so on; everything that happens to them is in one log. */
function world() {
  const directory = new MemoryBaseDirectory('/instances/_base');
  const locker = new MemoryLocker();
  const { log } = locker;
  let monotonicMs = 0;
  const execute = async ({ count, batchSize, inUse = nobody, signal, unlinkMs = 0 }: Options) => {
    const rows = Array.from({ length: count }, (_, index) => {
      const name = `f${index}`;
      return plannedFile(name, 'remove', directory.put(name, NOW_MS - 2 * DAY_MS));
    });
    directory.onUnlink = (name) => {
      log.push(`unlink ${name}`);
      monotonicMs += unlinkMs;
    };
    const asks: UseCheck = async (names, given, going) => {
      log.push(`ask ${names.join(' ')}`);
      return await inUse(names, given, going);
    };
    const clock = { now: () => ({ wallMs: NOW_MS, monotonicMs }) };
    const executor = createExecutor({ locker, directories: directory, clock, policy: executionPolicy, batchSize });
    const { outcomes } = await executor.execute(planOf(directory.path, rows), asks, { signal });
    return Object.fromEntries([...outcomes].map(([name, { outcome }]) => [name, outcome]));
  };
  const asked = () => log.filter((line) => line.startsWith('ask')).map((line) => line.split(' ').length - 1);
  const pass = (ms: number) => (monotonicMs += ms);
  /** Nobody uses anything, and it takes so long to say so. */
  const slow =
    (ms: number): UseCheck =>
    async (names, signal) => {
      pass(ms);
      return await nobody(names, signal);
    };
  return { directory, locker, log, execute, asked, pass, slow };
}

const of = (size: number): ExecutorParts['batchSize'] => ({ smallest: size, largest: size });

describe('removals in batches', () => {
  it('should ask once for a batch, after its last lock and before its first removal', async () => {
    const { log, execute } = world();
    await execute({ count: 3, batchSize: of(2) });
    expect(log).toEqual([
      'lock f0',
      'lock f1',
      'ask f0 f1',
      'unlink f0',
      'release f0',
      'unlink f1',
      'release f1',
      'lock f2',
      'ask f2',
      'unlink f2',
      'release f2',
    ]);
  });

  it('should ask at most once for 64 removals, where there are as many', async () => {
    const { execute, asked } = world();
    await execute({ count: 640 });
    expect(asked().reduce((all, names) => all + names)).toBe(640);
    expect(Math.min(...asked().slice(0, -1))).toBeGreaterThanOrEqual(64);
  });

  it('should let more removals share a reading that takes longer than they do, up to 256', async () => {
    const { execute, asked, slow } = world();
    await execute({ count: 1000, inUse: slow(100) });
    expect(asked()).toEqual([64, 256, 256, 256, 168]);
  });

  it('should let up to 4,096 removals share a reading where as many files may be open, and 256 where few may', async () => {
    expect([0, 1024, 2048, 1_048_576, Number.POSITIVE_INFINITY].map((limit) => batchSizeFor(limit).largest)).toEqual([
      256, 256, 512, 4096, 4096,
    ]);
    const { execute, asked, slow } = world();
    await execute({ count: 3000, inUse: slow(100), batchSize: batchSizeFor(4096) });
    expect(asked()).toEqual([1024, 1024, 952]);
    expect([0, 2048, 1_048_576].map((limit) => batchSizeFor(limit).first)).toEqual([256, 512, 1024]);
  });

  it('should lock no more files after a batch than the time sufficed for in it', async () => {
    const { execute, asked, slow } = world();
    const outcomes = await execute({ count: 40, inUse: slow(10), unlinkMs: 100, batchSize: { smallest: 2, largest: 64, first: 32 } });
    // Three took 300 ms, and the others came back.
    expect(asked()).toEqual([32, ...Array.from({ length: 18 }, () => 2), 1]);
    expect(Object.values(outcomes)).toEqual(Array.from({ length: 40 }, () => 'removed'));
  });

  it('should let as many removals share a reading as make it an eighth of the rest', async () => {
    const { execute, asked, slow } = world();
    await execute({ count: 300, inUse: slow(10), unlinkMs: 0.5 });
    // 64 removals took 32 ms: 160 take 80.
    expect(asked()).toEqual([64, 160, 76]);
  });

  it('should let no more removals share a reading than a lock may be held for', async () => {
    const { execute, asked, slow } = world();
    await execute({ count: 300, inUse: slow(90), unlinkMs: 1 });
    // 240 ms less 90.
    expect(asked()).toEqual([64, 150, 86]);
  });

  it('should let as many share a reading that takes longer than a lock may be held as the least times suffice for', async () => {
    const { locker, execute, asked, pass, slow } = world();
    locker.onTry = () => pass(0.25);
    await execute({ count: 300, inUse: slow(600), unlinkMs: 0.25 });
    // 64 took 32 ms, so that 200 take the 100 ms.
    expect(asked()).toEqual([64, 200, 36]);
  });

  it('should say with each question which files wait for a later pass', async () => {
    const directory = new MemoryBaseDirectory('/instances/_base');
    const rows = ['a', 'b', 'waits', 'young'].map((name) => {
      const planned = plannedFile(name, name.length === 1 ? 'remove' : 'keep', directory.put(name, NOW_MS - 2 * DAY_MS));
      return name === 'waits' ? { ...planned, reason: 'RemovalLimitReached' as const } : planned;
    });
    const asked: string[][] = [];
    const inUse: UseCheck = async (names, signal, unused) => {
      asked.push([...(unused ?? [])]);
      return await nobody(names, signal);
    };
    const clock = { now: () => ({ wallMs: NOW_MS, monotonicMs: 0 }) };
    const executor = createExecutor({
      locker: new MemoryLocker(),
      directories: directory,
      clock,
      policy: executionPolicy,
      batchSize: of(1),
    });
    await executor.execute(planOf(directory.path, rows), inUse);
    expect(asked).toEqual([
      ['a', 'b', 'waits'],
      ['b', 'waits'],
    ]);
  });

  it('should say with each question which files the plan removes that are not settled yet', async () => {
    const { directory, execute } = world();
    const told: string[][] = [];
    directory.onStat = (name) => void (name === 'f1' && directory.setModified('f1', NOW_MS));
    const inUse: UseCheck = async (names, signal, going) => {
      told.push([...(going ?? [])]);
      return await nobody(names, signal);
    };
    await execute({ count: 5, batchSize: of(2), inUse });
    // f1 was touched, so it stays, and is a file like any other.
    expect(told).toEqual([['f0', 'f2', 'f3', 'f4'], ['f2', 'f3', 'f4'], ['f4']]);
  });

  it('should give half of the time that a reading leaves to taking locks', async () => {
    const { locker, execute, asked, pass, slow } = world();
    locker.onTry = () => pass(1);
    await execute({ count: 300, inUse: slow(60), batchSize: of(200) });
    expect(asked()).toEqual([40, 90, 90, 80]);
  });

  it.each([10, 60, 120, 180])('should hold no lock for longer than 250 ms where a reading takes %d ms', async (readingMs) => {
    const { locker, execute, asked, pass, slow } = world();
    const since = new Map<string, number>();
    const holds: number[] = [];
    locker.onTry = () => pass(0.25);
    locker.onHeld = (name) => since.set(name, pass(0));
    locker.onReleased = (name) => holds.push(pass(0) - (since.get(name) ?? Number.NaN));
    await execute({ count: 3000, inUse: slow(readingMs), unlinkMs: 0.25, batchSize: batchSizeFor(65_536) });
    expect(holds).toHaveLength(asked().reduce((all, names) => all + names));
    expect(Math.max(...holds)).toBeLessThanOrEqual(250);
    expect(asked().length).toBeLessThan(35);
  });

  it('should never wait for a lock while it holds another: a busy one comes last, alone', async () => {
    const { locker, log, execute } = world();
    const busy = locker.hold('f1');
    const releasing: UseCheck = async (names, signal) => {
      busy.release({ remove: false });
      return await nobody(names, signal);
    };
    expect(await execute({ count: 3, inUse: releasing })).toEqual({ f0: 'removed', f1: 'removed', f2: 'removed' });
    expect(log.filter((line) => /^(ask|unlink)/.test(line))).toEqual(['ask f0 f2', 'unlink f0', 'unlink f2', 'ask f1', 'unlink f1']);
    expect(log.indexOf('release f2')).toBeLessThan(log.lastIndexOf('lock f1'));
  });

  it('should say of a lock that stays busy, or that cannot be had, what it said of it alone', async () => {
    const { locker, execute } = world();
    locker.hold('f0');
    locker.failures.set('f1', 'EACCES');
    expect(await execute({ count: 3 })).toEqual({ f0: 'LockBusy', f1: 'RemovalFailed', f2: 'removed' });
  });

  it('should release at once, and ask nothing for, what has changed since the plan', async () => {
    const { directory, log, execute } = world();
    let looks = 0;
    directory.onStat = (name) => void (name === 'f0' && looks++ === 0 && directory.setModified('f0', NOW_MS));
    expect(await execute({ count: 2 })).toEqual({ f0: 'ChangedSincePlan', f1: 'removed' });
    expect(log.slice(0, 4)).toEqual(['lock f0', 'release f0', 'lock f1', 'ask f1']);
  });

  it('should keep of a batch what is used now, and no more', async () => {
    const { execute } = world();
    const inUse: UseCheck = async (names) =>
      new Map(names.map((name) => [name, name === 'f1' ? [{ kind: 'use', message: 'now used by vm' }] : []]));
    expect(await execute({ count: 3, inUse })).toEqual({ f0: 'removed', f1: 'ChangedSincePlan', f2: 'removed' });
  });

  it('should keep the whole batch, and all that comes after it, where the pass is stopped while it asks', async () => {
    const { directory, log, execute } = world();
    const stop = new AbortController();
    const stopping: UseCheck = async (names, signal) => {
      if (log.filter((line) => line.startsWith('ask')).length === 2) stop.abort();
      return await nobody(names, signal);
    };
    const outcomes = await execute({ count: 6, batchSize: of(2), inUse: stopping, signal: stop.signal });
    expect(Object.values(outcomes)).toEqual(['removed', 'removed', 'Abandoned', 'Abandoned', 'Abandoned', 'Abandoned']);
    expect(directory.names).toEqual(['f2', 'f3', 'f4', 'f5']);
  });

  it('should hold no lock for longer than 250 ms: what the time does not suffice for comes with the next batch, and is asked for again', async () => {
    const { log, execute, asked } = world();
    expect(Object.values(await execute({ count: 5, unlinkMs: 100 }))).toEqual(Array(5).fill('removed'));
    expect(asked()).toEqual([5, 2]);
    expect(log.indexOf('release f3')).toBeLessThan(log.lastIndexOf('lock f3'));
  });

  it('should get on where one reading alone takes longer than that', async () => {
    const { execute, asked, slow } = world();
    expect(Object.values(await execute({ count: 4, inUse: slow(1000), unlinkMs: 30 }))).toEqual(Array(4).fill('removed'));
    expect(asked()).toEqual([4, 2]);
  });

  it('should release every lock, whatever happens', async () => {
    const { log, execute } = world();
    const mistaken: UseCheck = async () =>
      ({
        get: () => ({
          get length(): number {
            throw new TypeError('a mistake');
          },
        }),
      }) as never;
    await expect(execute({ count: 3, inUse: mistaken })).rejects.toThrow('a mistake');
    expect(log.filter((line) => line.startsWith('release')).toSorted()).toEqual(['release f0', 'release f1', 'release f2']);
  });
});
