import { describe, expect, it } from 'vitest';
import { createExecutor } from '../../../src/execute/executor.ts';
import type { RemovalRecord } from '../../../src/model/ledger/recorder.ts';
import { DAY_MS, executionPolicy, nobody, perFile, plannedFile, planOf } from '../../helpers/execute-plans.ts';
import { MemoryBaseDirectory, MemoryLocker } from '../../helpers/memory-execute.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);

/** `f0`, `f1` and so on, which nobody uses, and a record with room for so many intents at once. */
function world({ count, room = Number.POSITIVE_INFINITY }: { readonly count: number; readonly room?: number }) {
  const directory = new MemoryBaseDirectory('/instances/_base');
  const locker = new MemoryLocker();
  const { log } = locker;
  const files = Array.from({ length: count }, (_, index) =>
    plannedFile(`f${index}`, 'remove', directory.put(`f${index}`, NOW_MS - 2 * DAY_MS)),
  );
  directory.onUnlink = (name) => void log.push(`unlink ${name}`);
  let numbers = 0;
  const record: RemovalRecord = {
    evidence: () => {},
    async intend(intents) {
      const written = intents.slice(0, room);
      if (intents.length > 0) log.push(`intend ${written.map(({ name }) => name).join(' ')}`);
      return written.map(() => (numbers += 1));
    },
    owe(intent) {
      log.push(`owe ${intent.name}`);
      return -1;
    },
    outcome: (intent, outcome) => void log.push(`outcome ${intent} ${outcome}`),
    end: () => Promise.resolve({ bytes: 0 }),
    close: () => {},
  };
  const executor = createExecutor({
    locker,
    directories: directory,
    clock: { now: () => ({ wallMs: NOW_MS, monotonicMs: 0 }) },
    policy: executionPolicy,
  });
  const happened = () => log.filter((line) => !/^(?:lock|release)/.test(line));
  return {
    directory,
    record,
    happened,
    execute: (inUse = nobody, used = record) => executor.execute(planOf(directory.path, files), inUse, { record: used }),
  };
}

describe('removals that are recorded', () => {
  it('should be recorded before the first of the batch goes', async () => {
    const { execute, happened } = world({ count: 2 });
    await execute();
    expect(happened()).toEqual(['intend f0 f1', 'unlink f0', 'outcome 1 removed', 'unlink f1', 'outcome 2 removed']);
  });

  it('should leave out files to which the evidence objects', async () => {
    const { execute, happened, directory } = world({ count: 2 });
    await execute(perFile(async (name) => (name === 'f0' ? [{ kind: 'use', message: 'vm' }] : [])));
    expect(happened()).toEqual(['intend f1', 'unlink f1', 'outcome 1 removed']);
    expect(directory.names).toEqual(['f0']);
  });

  it('should not happen where nothing can be recorded', async () => {
    const { execute, record, directory } = world({ count: 2 });
    const failing = { ...record, intend: () => Promise.reject(Object.assign(new Error('EIO: the ledger'), { code: 'EIO' })) };
    const { outcomes } = await execute(nobody, failing);
    expect([...outcomes.values()]).toEqual(['f0', 'f1'].map((name) => ({ name, outcome: 'RemovalFailed', message: 'EIO: the ledger' })));
    expect(directory.names).toEqual(['f0', 'f1']);
  });

  const full = Object.assign(new Error('ENOSPC: the ledger'), { code: 'ENOSPC' });

  it('should happen one by one where they make room for their records', async () => {
    const { execute, record, happened, directory } = world({ count: 3 });
    directory.link('f0', 'another-name');
    let fails = 2;
    const intend: RemovalRecord['intend'] = (intents) => (fails-- > 0 ? Promise.reject(full) : record.intend(intents));
    await execute(nobody, { ...record, intend });
    const owed = ['f1', 'f2'].flatMap((name) => [`owe ${name}`, `unlink ${name}`, 'outcome -1 removed']);
    expect(happened()).toEqual([...owed, 'intend f0', 'unlink f0', 'outcome 1 removed']);
  });

  it('should not happen without a record where they make no room, or may not for it', async () => {
    const { execute, record, directory } = world({ count: 1 });
    const failing = { ...record, intend: () => Promise.reject(full) };
    const owe = () => {
      throw Object.assign(new Error('ENOSPC: no more'), { code: 'ENOSPC' });
    };
    const refused = await execute(nobody, { ...failing, owe });
    expect(refused.outcomes.get('f0')).toMatchObject({ outcome: 'RemovalFailed', message: 'ENOSPC: no more' });
    directory.link('f0', 'another-name');
    const linked = await execute(nobody, failing);
    const message = 'ENOSPC: the ledger; it stays: it has another name, so its removal frees nothing';
    expect(linked.outcomes.get('f0')).toMatchObject({ outcome: 'RemovalFailed', message });
    expect(directory.names).toEqual(['f0', 'another-name']);
  });

  it('should come again where there is room for some of them only', async () => {
    const { execute, happened } = world({ count: 2, room: 1 });
    await execute();
    expect(happened()).toEqual(['intend f0', 'unlink f0', 'outcome 1 removed', 'intend f1', 'unlink f1', 'outcome 2 removed']);
  });
});
