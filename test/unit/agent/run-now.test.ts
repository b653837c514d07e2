import { describe, expect, it } from 'vitest';
import { pendingRunNow, runNowAnswer } from '../../../src/agent/run-now.ts';

describe('a request for a pass', () => {
  it('should be pending until it was answered, here or by an earlier agent', () => {
    expect(pendingRunNow({ 'basekeeper.io/run-now': '1' }, undefined)).toBe('1');
    expect(pendingRunNow({ 'basekeeper.io/run-now': '1' }, '1')).toBeUndefined();
    expect(pendingRunNow({ 'basekeeper.io/run-now': '1', 'basekeeper.io/run-now-done': '1' }, undefined)).toBeUndefined();
    expect(pendingRunNow({ 'basekeeper.io/run-now': '2', 'basekeeper.io/run-now-done': '1' }, '1')).toBe('2');
    expect(pendingRunNow({}, undefined)).toBeUndefined();
    const long = 'x'.repeat(1000);
    expect(pendingRunNow({ 'basekeeper.io/run-now': long, 'basekeeper.io/run-now-done': runNowAnswer(long) }, undefined)).toBeUndefined();
  });

  it('should answer a value that is too long by its digest', () => {
    expect(runNowAnswer('x'.repeat(256))).toBe('x'.repeat(256));
    expect(runNowAnswer('x'.repeat(257))).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});
