import { describe, expect, it } from 'vitest';
import { effectiveMode } from '../../../src/agent/mode.ts';

describe('the effective mode', () => {
  it("should be the node's annotation where it is a mode, else the configuration's", () => {
    expect(effectiveMode('enforce', {})).toBe('enforce');
    expect(effectiveMode('dry-run', { 'basekeeper.io/mode': 'enforce' })).toBe('enforce');
    expect(effectiveMode('enforce', { 'basekeeper.io/mode': 'off' })).toBe('off');
  });

  it('should never remove because of an annotation that is not a mode, or before the node was seen', () => {
    expect(effectiveMode('enforce', { 'basekeeper.io/mode': 'Enforce' })).toBe('dry-run');
    expect(effectiveMode('enforce', { 'basekeeper.io/mode': '' })).toBe('dry-run');
    expect(effectiveMode('off', { 'basekeeper.io/mode': 'nonsense' })).toBe('off');
    expect(effectiveMode('enforce', undefined)).toBe('dry-run');
    expect(effectiveMode('enforce', Object.create({ 'basekeeper.io/mode': 'off' }) as Record<string, string>)).toBe('enforce');
  });
});
