import { describe, expect, it } from 'vitest';
import { EventRecorder } from '../../../../src/report/events/recorder.ts';
import { eventValue, type EventValue } from '../../../../src/report/events/event.ts';
import { apiError, manualClock, memoryKube, memoryLogger, memoryTiming } from '../../../helpers/memory-kube.ts';
import { NODE, VM } from '../../../helpers/reports.ts';

function setUp() {
  const kube = memoryKube();
  const clock = manualClock();
  const logger = memoryLogger();
  const dropped: EventValue[] = [];
  let drawn = 0;
  const timing = { ...memoryTiming(), random: () => drawn++ / 2 ** 20 };
  const signals = { hurry: new AbortController().signal, signal: new AbortController().signal };
  const onDropped = (event: EventValue): void => void dropped.push(event);
  const recorder = new EventRecorder({ client: kube, clock, timing, logger, instance: 'agent', ...signals, onDropped });
  const record = async (event: EventValue): Promise<boolean> => {
    const taken = recorder.record(event);
    await recorder.idle();
    return taken;
  };
  const stored = () => [...kube.events.values()];
  return { kube, clock, logger, dropped, recorder, record, stored };
}

function held(text = 'held', regarding = NODE): EventValue {
  return eventValue('RemovalHeld', { problem: 'held', regarding }, text);
}

describe('an event that repeats', () => {
  it('should be counted in a series of the event that exists', async () => {
    const { kube, clock, record, stored } = setUp();
    await record(held());
    clock.advance(60);
    await record(held());
    expect(kube.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH']);
    expect(kube.requests[1]).toMatchObject({ contentType: 'application/merge-patch+json' });
    expect(stored()).toMatchObject([{ series: { count: 2, lastObservedTime: '2026-11-23T14:01:00.000000Z' } }]);
  });

  it('should be the same event whatever its note says', async () => {
    const { record, stored } = setUp();
    await record(held('first'));
    await record(held('second'));
    expect(stored()).toMatchObject([{ note: expect.stringContaining('first') as string, series: { count: 2 } }]);
  });

  it('should only be counted, not written, while its series goes on', async () => {
    const { kube, clock, record } = setUp();
    for (let times = 0; times < 20; times++) {
      await record(held());
      clock.advance(60);
    }
    expect(kube.requests).toHaveLength(2);
  });

  it('should be written every half hour while its series goes on', async () => {
    const { clock, record, stored } = setUp();
    for (let times = 0; times < 33; times++) {
      await record(held());
      clock.advance(60);
    }
    expect(stored()).toMatchObject([{ series: { count: 32 } }]);
  });

  it('should have its last count written when it has been quiet for six minutes', async () => {
    const { kube, clock, recorder, record, stored } = setUp();
    for (let times = 0; times < 5; times++) await record(held());
    expect(stored()).toMatchObject([{ series: { count: 2 } }]);
    clock.advance(359);
    recorder.sweep();
    await recorder.idle();
    expect(stored()).toMatchObject([{ series: { count: 2 } }]);
    clock.advance(1);
    recorder.sweep();
    await recorder.idle();
    expect(stored()).toMatchObject([{ series: { count: 5 } }]);
    expect(kube.requests).toHaveLength(3);
  });

  it('should not be written again when it did not repeat', async () => {
    const { kube, clock, recorder, record } = setUp();
    await record(held());
    clock.advance(360);
    recorder.sweep();
    await recorder.idle();
    expect(kube.requests).toHaveLength(1);
  });

  it('should be a new event after six quiet minutes', async () => {
    const { clock, record, stored } = setUp();
    await record(held());
    clock.advance(360);
    await record(held());
    expect(stored()).toHaveLength(2);
  });

  it('should be a new event when the clock was set back since, and not wait until it has caught up', async () => {
    const { clock, record, stored } = setUp();
    await record(held());
    clock.advance(-86_400);
    await record(held());
    expect(stored()).toHaveLength(2);
  });

  it('should be a new event when it regards another object of the same name', async () => {
    const { record, stored } = setUp();
    await record(held('x', NODE));
    await record(held('x', { ...NODE, uid: 'uid-2' }));
    expect(stored()).toHaveLength(2);
  });

  it('should be created again, with its count, when the API server has forgotten it', async () => {
    const { kube, record, stored } = setUp();
    await record(held());
    kube.forgetEvents();
    await record(held());
    expect(stored()).toMatchObject([{ series: { count: 2 } }]);
    expect(kube.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST']);
  });
});

describe('the limits', () => {
  it('should remember so many series only, the latest ones', async () => {
    const { record, stored } = setUp();
    const about = (index: number) => held('x', { ...NODE, uid: `uid-${index}` });
    for (let index = 0; index < 1025; index++) await record(about(index));
    await record(about(1024));
    await record(about(0));
    expect(stored()).toHaveLength(1026);
    expect(stored().filter(({ series }) => series !== undefined)).toMatchObject([{ regarding: { uid: 'uid-1024' } }]);
  });

  it('should allow an object 25 events at once and one each 300 seconds', async () => {
    const { clock, record } = setUp();
    const results: boolean[] = [];
    for (let times = 0; times < 30; times++) {
      results.push(await record(eventValue('PassFailed', { problem: 't', regarding: NODE, related: { ...VM, uid: `${times}` } }, 'x')));
    }
    expect(results.filter(Boolean)).toHaveLength(25);
    clock.advance(300);
    expect(await record(held())).toBe(true);
    expect(await record(held('x', { ...NODE, uid: 'other' }))).toBe(true);
  });

  it('should allow all objects in namespaces together a hundred events at once', async () => {
    const { record } = setUp();
    let taken = 0;
    for (let index = 0; index < 150; index++) if (await record(held('x', { ...VM, uid: `${index}` }))) taken++;
    expect(taken).toBe(100);
    expect(await record(held())).toBe(true);
  });

  it('should queue only so many while the API server does not answer', async () => {
    const { kube, recorder } = setUp();
    const never = Promise.withResolvers<unknown>();
    kube.request = () => never.promise;
    let taken = 0;
    for (let index = 0; index < 1000; index++) if (recorder.record(held('x', { ...NODE, uid: `${index}` }))) taken++;
    expect(taken).toBe(256);
    never.resolve(undefined);
    await recorder.idle();
  });
});

describe('an event that cannot be sent', () => {
  it('should be given back when the problem may pass', async () => {
    const { kube, dropped, record } = setUp();
    kube.refuse = () => apiError(500);
    expect(await record(held())).toBe(true);
    expect(dropped).toMatchObject([{ reason: 'RemovalHeld' }]);
    kube.refuse = () => undefined;
    await record(held());
    expect([...kube.events.values()].map(({ series }) => series)).toEqual([undefined]);
  });

  it('should get another name when its name is taken', async () => {
    const { kube, record } = setUp();
    let refusals = 1;
    kube.refuse = () => (refusals-- > 0 ? apiError(409) : undefined);
    await record(held());
    const names = kube.requests.map(({ body }) => (body as { metadata: { name: string } }).metadata.name);
    expect(new Set(names).size).toBe(2);
    expect(kube.events.size).toBe(1);
  });

  it('should not hold up the next one', async () => {
    const { kube, record, logger } = setUp();
    kube.refuse = ({ body }) => ((body as { regarding?: { uid: string } }).regarding?.uid === 'bad' ? apiError(422) : undefined);
    await record(held('x', { ...NODE, uid: 'bad' }));
    await record(held());
    expect(kube.events.size).toBe(1);
    expect(logger.lines).toHaveLength(1);
  });
});
