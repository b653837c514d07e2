import { describe, expect, it } from 'vitest';
import type { SourceState, SourceStatus } from '../../../src/model/workload.ts';
import { freshMsOf, unreadySources } from '../../../src/http/probes.ts';

function source(name: string, state: SourceState): SourceStatus {
  return { name, state, lastContactMs: undefined, freshLimitMs: 1, consistentListAtMs: undefined };
}

describe('readiness', () => {
  it('should come with every source synced, or without an API to sync from', () => {
    expect(unreadySources([])).toBeUndefined();
    expect(unreadySources([source('pods', 'synced'), source('virtualMachineInstances', 'absent')])).toBeUndefined();
  });

  it('should be missing while a source is listed, or fails', () => {
    expect(unreadySources([source('pods', 'syncing'), source('a', 'synced'), source('file\n', 'failed')])).toBe(
      'source pods is syncing; source file\\u{a} is failed',
    );
  });

  it('should be asked for again soon only while a source is listed for the first time', () => {
    expect(freshMsOf([source('a', 'synced'), source('pods', 'syncing')])).toBeLessThanOrEqual(50);
    expect(freshMsOf([source('a', 'synced'), source('file', 'failed')])).toBe(1000);
  });
});
