import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { showProgress } from '../../../src/cli/progress.ts';

function terminal(columns: number | undefined) {
  const stream = new PassThrough();
  const text = () => String((stream.read() as Buffer | null) ?? '');
  return { output: Object.assign(stream, columns === undefined ? {} : { isTTY: true, columns }), text };
}

describe('progress', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('should stay silent for a pass of less than a second', () => {
    const { output, text } = terminal(80);
    const progress = showProgress(output);
    progress.stage('scan');
    vi.advanceTimersByTime(900);
    progress.stop();
    expect(text()).toBe('');
  });

  it('should show the stage on one line after a second, and clear it at the end', () => {
    const { output, text } = terminal(80);
    const progress = showProgress(output);
    progress.stage('overlays');
    vi.advanceTimersByTime(1000);
    expect(text()).toBe('\r\u001B[Kbasekeeper: reading backing chains, 1 s');
    progress.stage('execute');
    expect(text()).toBe('\r\u001B[Kbasekeeper: carrying out the plan, 1 s');
    progress.stop();
    expect(text()).toBe('\r\u001B[K');
    vi.advanceTimersByTime(5000);
    expect(text()).toBe('');
  });

  it('should never wrap on a narrow terminal', () => {
    const { output, text } = terminal(20);
    showProgress(output).stage('references');
    vi.advanceTimersByTime(1000);
    expect(text()).toHaveLength(19 + '\r\u001B[K'.length);
  });

  it('should show nothing where stderr is not a terminal', () => {
    const { output, text } = terminal(undefined);
    showProgress(output).stage('scan');
    vi.advanceTimersByTime(60_000);
    expect(text()).toBe('');
  });
});
