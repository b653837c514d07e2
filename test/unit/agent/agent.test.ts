import { describe, expect, it, vi } from 'vitest';
import { createAgent, type AgentParts } from '../../../src/agent/agent.ts';
import type { NodeMetadata, OwnNode } from '../../../src/kube/types.ts';
import { emptyReport } from '../../../src/report/build-report.ts';
import type { Report } from '../../../src/model/report.ts';

const about = { node: 'node-a', takenAt: '2026-11-23T14:00:00.000Z', preset: 'safe', basePath: '/b' } as const;
const report = (message: string): Report => emptyReport(about, 'Skipped', message, { durationSeconds: 0, stageSeconds: {} });

function metadata(annotations: Record<string, string> | undefined): NodeMetadata | undefined {
  return annotations === undefined ? undefined : { name: 'node-a', uid: 'u', annotations };
}

/** A pass that lasts until it is told to stop. */
const endlessPass: AgentParts['pass'] = ({ signal }) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(report('stopped'))));

function memoryNode(annotations: Record<string, string> | undefined): OwnNode & { set(next: Record<string, string> | undefined): void } {
  let node = metadata(annotations);
  const listeners = new Set<(node: NodeMetadata | undefined) => void>();
  return {
    start: () => undefined,
    stop: () => Promise.resolve(),
    current: () => node,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(next) {
      node = metadata(next);
      for (const listener of listeners) listener(node);
    },
  };
}

function harness(over: Partial<AgentParts> = {}) {
  const passes: { dryRun: boolean }[] = [];
  const published: { message: string | undefined; runNowDone: string | undefined }[] = [];
  const modes: string[] = [];
  const parts: AgentParts = {
    mode: 'enforce',
    schedule: { kind: 'interval', intervalSeconds: 3600, jitterSeconds: 0, offsetMs: 0 },
    passDeadlineMs: 60_000,
    clock: { now: () => ({ wallMs: Date.now(), monotonicMs: performance.now() }) },
    logger: { debug: vi.fn<() => void>(), info: vi.fn<() => void>(), warn: vi.fn<() => void>(), error: vi.fn<() => void>() },
    sources: [],
    node: undefined,
    reporter: {
      publish: (published_, context) => {
        published.push({ message: published_.message, runNowDone: context?.runNowDone });
        return Promise.resolve();
      },
    },
    pass: ({ dryRun }) => {
      passes.push({ dryRun });
      return Promise.resolve(report('passed'));
    },
    skipped: report,
    onMode: (mode) => modes.push(mode),
    ...over,
  };
  const agent = createAgent(parts);
  const stop = new AbortController();
  const done = agent.run(stop.signal);
  return { agent, passes, published, modes, stop: async () => (stop.abort(), done) };
}

describe('the agent', () => {
  it('should tidy up after each pass, once its report is published', async () => {
    const steps: string[] = [];
    const tidied = Promise.withResolvers<void>();
    const { stop } = harness({
      pass: () => (steps.push('pass'), Promise.resolve(report('passed'))),
      reporter: { publish: () => (steps.push('publish'), Promise.resolve()) },
      tidy: () => (steps.push('tidy'), tidied.resolve()),
    });
    await tidied.promise;
    await stop();
    expect(steps).toEqual(['pass', 'publish', 'tidy']);
  });

  it('should answer a run-now that comes during the pass of another mode with that pass', async () => {
    const node = memoryNode({});
    const started: string[] = [];
    const passing = Promise.withResolvers<void>();
    const { published, passes, stop } = harness({
      mode: 'dry-run',
      node,
      pass: async ({ dryRun }) => {
        started.push(dryRun ? 'dry-run' : 'enforce');
        if (!dryRun) await passing.promise;
        return report('passed');
      },
    });
    await vi.waitFor(() => expect(published).toHaveLength(1));
    node.set({ 'basekeeper.io/mode': 'enforce' });
    await vi.waitFor(() => expect(started).toEqual(['dry-run', 'enforce']));
    node.set({ 'basekeeper.io/mode': 'enforce', 'basekeeper.io/run-now': 'r-1' });
    passing.resolve();
    await vi.waitFor(() => expect(published.at(-1)?.runNowDone).toBe('r-1'));
    await stop();
    expect([started, passes]).toEqual([['dry-run', 'enforce'], []]);
  });

  it('should say once that an annotation is not a mode', async () => {
    const node = memoryNode({});
    const told: string[] = [];
    const { passes, stop } = harness({ node, onUnknownMode: (value, instead) => told.push(`${value}: ${instead}`) });
    await vi.waitFor(() => expect(passes).toEqual([{ dryRun: false }]));
    for (const value of ['enfroce', 'enfroce', 'enforce', 'of']) node.set({ 'basekeeper.io/mode': value });
    expect(told).toEqual(['enfroce: dry-run', 'of: dry-run']);
    await stop();
  });

  it('should run its first pass without being asked, in the configured mode', async () => {
    const { passes, stop } = harness({ mode: 'dry-run' });
    await vi.waitFor(() => expect(passes).toEqual([{ dryRun: true }]));
    await stop();
  });

  it('should run passes again and again on its schedule', async () => {
    const { passes, stop } = harness({ schedule: { kind: 'interval', intervalSeconds: 0.005, jitterSeconds: 0, offsetMs: 0 } });
    await vi.waitFor(() => expect(passes.length).toBeGreaterThan(3));
    await stop();
  });

  it('should answer run-now once with its value', async () => {
    const node = memoryNode({});
    const { passes, published, stop } = harness({ node });
    await vi.waitFor(() => expect(passes).toHaveLength(1));
    node.set({ 'basekeeper.io/run-now': 'please' });
    node.set({ 'basekeeper.io/run-now': 'please', other: 'change' });
    await vi.waitFor(() => expect(published).toHaveLength(2));
    await stop();
    expect(published[1]).toEqual({ message: 'passed', runNowDone: 'please' });
    expect(passes).toHaveLength(2);
  });

  it('should run one pass at a time and count triggers that come meanwhile once', async () => {
    const node = memoryNode({});
    const gates: (() => void)[] = [];
    const pass = vi.fn<AgentParts['pass']>(() => new Promise((resolve) => gates.push(() => resolve(report('passed')))));
    const { published, stop } = harness({ node, pass });
    await vi.waitFor(() => expect(gates).toHaveLength(1));
    for (const value of ['1', '2', '3']) node.set({ 'basekeeper.io/run-now': value });
    expect(pass).toHaveBeenCalledTimes(1);
    gates[0]?.();
    await vi.waitFor(() => expect(gates).toHaveLength(2));
    gates[1]?.();
    await vi.waitFor(() => expect(published).toHaveLength(2));
    await stop();
    expect(published[1]?.runNowDone).toBe('3');
    expect(pass).toHaveBeenCalledTimes(2);
  });

  it('should skip the pass while the mode is off, and say so', async () => {
    const { passes, published, stop } = harness({ node: memoryNode({ 'basekeeper.io/mode': 'off' }) });
    await vi.waitFor(() => expect(published).toEqual([{ message: 'the mode is off', runNowDone: undefined }]));
    await stop();
    expect(passes).toEqual([]);
  });

  it.each([
    ['dry-run', 'dry-run'],
    ['off', 'off'],
    ['Enforce', 'dry-run'],
  ])('should stop a pass that removes files when the mode becomes %s, say why, and begin the next one', async (annotation, mode) => {
    const node = memoryNode({ 'basekeeper.io/mode': 'enforce' });
    const pass: AgentParts['pass'] = async ({ dryRun, signal }) =>
      dryRun
        ? report('a dry run')
        : await new Promise((resolve) => signal.addEventListener('abort', () => resolve(report(String(signal.reason)))));
    const { published, stop } = harness({ node, pass });
    await vi.waitFor(() => expect(node.current()).toBeDefined());
    await new Promise((resolve) => setImmediate(resolve));
    node.set({ 'basekeeper.io/mode': annotation });
    const next = mode === 'off' ? 'the mode is off' : 'a dry run';
    await vi.waitFor(() => expect(published.map(({ message }) => message)).toEqual([`Error: the mode of this node became ${mode}`, next]));
    await stop();
  });

  it('should not stop a pass because something else of the node changes', async () => {
    const node = memoryNode({ 'basekeeper.io/mode': 'enforce' });
    const { published, stop } = harness({ node, pass: endlessPass });
    await new Promise((resolve) => setImmediate(resolve));
    node.set({ 'basekeeper.io/mode': 'enforce', 'basekeeper.io/pin': 'x' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(published).toEqual([]);
    await stop();
  });

  it('should run a pass as soon as an operator changes the mode', async () => {
    const node = memoryNode({ 'basekeeper.io/mode': 'dry-run' });
    const { passes, modes, stop } = harness({ node });
    await vi.waitFor(() => expect(passes).toEqual([{ dryRun: true }]));
    node.set({ 'basekeeper.io/mode': 'enforce' });
    await vi.waitFor(() => expect(passes).toEqual([{ dryRun: true }, { dryRun: false }]));
    await stop();
    expect(modes).toContain('enforce');
  });

  it('should hand the clocks at the end of one pass to the next', async () => {
    const previous: unknown[] = [];
    const pass: AgentParts['pass'] = (options) => {
      previous.push(options.previousPass);
      return Promise.resolve(report('passed'));
    };
    const { stop } = harness({ pass, schedule: { kind: 'interval', intervalSeconds: 0.001, jitterSeconds: 0, offsetMs: 0 } });
    await vi.waitFor(() => expect(previous.length).toBeGreaterThan(1));
    await stop();
    expect(previous[0]).toBeUndefined();
    expect(previous[1]).toEqual({ wallMs: expect.any(Number), monotonicMs: expect.any(Number) });
  });

  it('should abort the running pass when it is told to stop, and wait for it', async () => {
    let ended = false;
    const pass: AgentParts['pass'] = ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          ended = true;
          resolve(report('stopped'));
        });
      });
    const { agent, stop } = harness({ pass });
    await vi.waitFor(() => expect(agent.status().passRunning).toBe(true));
    await stop();
    expect(ended).toBe(true);
    expect(agent.status().passRunning).toBe(false);
  });

  it('should call itself unhealthy once a pass is past its deadline', async () => {
    let monotonicMs = 0;
    const { agent, stop } = harness({ pass: endlessPass, clock: { now: () => ({ wallMs: monotonicMs, monotonicMs }) } });
    await vi.waitFor(() => expect(agent.status().passRunning).toBe(true));
    expect(agent.status().unhealthy).toBeUndefined();
    monotonicMs += 60_000 + 60_001;
    expect(agent.status().unhealthy).toBe('the running pass is past its deadline');
    await stop();
  });

  it('should stop a pass at its deadline, and say so', async () => {
    const error = vi.fn<AgentParts['logger']['error']>();
    const logger = { debug: vi.fn<() => void>(), info: vi.fn<() => void>(), warn: vi.fn<() => void>(), error };
    const { published, stop } = harness({ pass: endlessPass, passDeadlineMs: 1, logger });
    await vi.waitFor(() => expect(published).toHaveLength(1), { timeout: 20_000 });
    expect(error).toHaveBeenCalledExactlyOnceWith({ passDeadlineSeconds: 0.001 }, 'the pass ran past its deadline and was abandoned');
    await stop();
  });

  it('should leave no timer of a deadline behind when a pass has ended', async () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    const cleared = vi.spyOn(globalThis, 'clearTimeout');
    const { passes, stop } = harness({
      schedule: { kind: 'interval', intervalSeconds: 0.001, jitterSeconds: 0, offsetMs: 0 },
      passDeadlineMs: 12_345,
    });
    await vi.waitFor(() => expect(passes.length).toBeGreaterThanOrEqual(5), { timeout: 20_000 });
    await stop();
    const deadlines = set.mock.calls.flatMap(([, ms], call) => (ms === 12_345 ? [set.mock.results[call]?.value] : []));
    expect(deadlines).toHaveLength(passes.length);
    const freed = new Set<unknown>(cleared.mock.calls.map(([timer]) => timer));
    expect(deadlines.filter((timer) => !freed.has(timer))).toEqual([]);
    vi.restoreAllMocks();
  });
});
