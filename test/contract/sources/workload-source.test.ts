import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SourceReading } from '../../../src/model/workload.ts';
import { eventually } from '../../helpers/kube-sources.ts';
import { IMPLEMENTATIONS, type SourceWorld } from './sources.ts';

describe.each(IMPLEMENTATIONS)('WorkloadSource, $name', (implementation) => {
  let world: SourceWorld;

  beforeAll(async () => {
    world = await implementation.make();
    world.source.start();
  });
  afterAll(async () => {
    await world.source.stop();
    await world.close();
  });

  const readNow = async (): Promise<SourceReading> => await world.source.read({ consistent: true });
  const usersOf = ({ workloads }: SourceReading, image: string): string[] =>
    workloads.filter(({ images }) => images.some(({ ref }) => ref === image)).map(({ instanceNames }) => instanceNames[0] ?? '');

  it('should tell of a VM as soon as a consistent read asks, and no longer once it is gone', async () => {
    await world.add('vm-a', 'image-a');
    expect(usersOf(await readNow(), 'image-a')).toEqual(['vm-a']);
    await world.remove('vm-a');
    expect((await readNow()).workloads).toEqual([]);
  });

  it('should tell of it without being asked for consistency as well, if later', async () => {
    await world.add('vm-b', 'image-b');
    await eventually(async () => expect(usersOf(await world.source.read({ consistent: false }), 'image-b')).toEqual(['vm-b']));
    await world.remove('vm-b');
    await eventually(async () => expect((await world.source.read({ consistent: false })).workloads).toEqual([]));
  });

  it('should say by its name where each workload comes from', async () => {
    await world.add('vm-c', 'image-c');
    const { status, workloads } = await readNow();
    expect([status.name, workloads[0]?.source]).toEqual([world.source.name, world.source.name]);
    await world.remove('vm-c');
  });

  it('should be synced, fresh, and consistent since the call', async () => {
    const before = Date.now();
    const { status } = await readNow();
    const after = Date.now();
    expect(status.state).toBe('synced');
    for (const time of [status.consistentListAtMs ?? 0, status.lastContactMs ?? 0]) {
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(after);
    }
    expect(status.freshLimitMs).toBeGreaterThan(0);
  });

  it('should tell problems as data: no exception, no consistent list, nothing invented', async () => {
    await world.add('vm-d', 'image-d');
    await readNow();
    await world.breakDown();
    // The clock's next millisecond.
    await sleep(2);
    const before = Date.now();
    const { status, workloads, gaps } = await readNow();
    expect(status.consistentListAtMs ?? 0).toBeLessThan(before);
    expect(status.message).toBeDefined();
    // What it still tells of is what it knew; what it cannot tell of, it says.
    if (status.state === 'synced') expect(usersOf({ status, workloads, gaps }, 'image-d')).toEqual(['vm-d']);
    await world.repair();
    await eventually(async () => {
      const repaired = (await readNow()).status;
      expect([repaired.state, repaired.message]).toEqual(['synced', undefined]);
    });
  });

  it('should answer a caller who gives up', async () => {
    const { status } = await world.source.read({ consistent: true, signal: AbortSignal.abort() });
    expect([status.name, status.state]).toEqual([world.source.name, 'synced']);
  });

  it('should be stopped twice without harm', async () => {
    await world.source.stop();
    await world.source.stop();
    expect((await world.source.read({ consistent: false })).status.name).toBe(world.source.name);
  });
});
