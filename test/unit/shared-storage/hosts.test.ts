import { describe, expect, it } from 'vitest';
import type { HostReport } from '../../../src/model/host-report.ts';
import {
  classifyHosts,
  judgeHost,
  nodeOfHost,
  whyUnsettled,
  type HostRules,
  type NodeEvidence,
} from '../../../src/shared-storage/hosts.ts';
import { NOW_MS } from '../../helpers/snapshot.ts';

const RULES: HostRules = {
  hostName: 'host-a',
  hostNamePattern: '$(NODE_NAME)',
  hostTimeoutSeconds: 86_400,
  staleHosts: 'hold',
  settleSeconds: 3600,
  ignoredHosts: [],
};
const ago = (seconds: number): number => NOW_MS - seconds * 1000;

function statesOf(registered: Readonly<Record<string, number>>, over: Partial<HostRules> = {}): Record<string, string> {
  const hosts = classifyHosts(new Map(Object.entries(registered)), { ...RULES, ...over }, NOW_MS);
  return Object.fromEntries(hosts.map(({ name, state }) => [name, state]));
}

describe('the hosts of a directory', () => {
  it('should count for less than a day, as in Nova, and ourselves in any case', () => {
    const registered = { 'host-a': ago(90_000), 'host-b': ago(86_399), 'host-c': ago(86_400), 'host-d': NOW_MS + 1e9 };
    expect(statesOf(registered)).toEqual({ 'host-a': 'own', 'host-b': 'member', 'host-c': 'stale', 'host-d': 'member' });
    expect(statesOf({})).toEqual({ 'host-a': 'own' });
  });

  it('should not be forgotten for being silent, unless the configuration says so', () => {
    expect(statesOf({ 'host-b': ago(1e9), 'host-c': ago(0) }, { staleHosts: 'ignore' })).toMatchObject({
      'host-b': 'ignored',
      'host-c': 'member',
    });
    expect(statesOf({ 'host-b': ago(0), 'host-c': ago(1e9) }, { ignoredHosts: ['host-b', 'host-c'] })).toMatchObject({
      'host-b': 'ignored',
      'host-c': 'ignored',
    });
  });

  it('should say what to do about a stale host', () => {
    const hosts = classifyHosts(new Map([['host-b', ago(90_000)]]), RULES, NOW_MS);
    expect(hosts[1]?.message).toBe(
      'it has not registered for 90000 s: start its agent or nova-compute, or, where it is gone for good, run basekeeper hosts --forget',
    );
  });

  it('should have time to register, after the first one did, before that one believes to be alone', () => {
    expect(whyUnsettled(undefined, 3600, NOW_MS)).toContain('removals begin 3600 s after the first');
    expect(whyUnsettled(ago(0), 3600, NOW_MS)).toContain('removals begin in 3600 s');
    expect(whyUnsettled(ago(3599), 3600, NOW_MS)).toContain('removals begin in 1 s');
    expect(whyUnsettled(ago(3600), 3600, NOW_MS)).toBeUndefined();
    expect(whyUnsettled(undefined, 0, NOW_MS)).toBeUndefined();
  });

  it.each([
    ['node-1', '$(NODE_NAME)', 'node-1'],
    ['node-1.example.org', '$(NODE_NAME).example.org', 'node-1'],
    ['node-1.example.com', '$(NODE_NAME).example.org', undefined],
    ['nova-node-1-nova', 'nova-$(NODE_NAME)-nova', 'node-1'],
    ['a.a', '$(NODE_NAME).$(NODE_NAME)', undefined],
    ['Node-1', '$(NODE_NAME)', undefined],
    ['node-1,metadata.name!=x', '$(NODE_NAME)', undefined],
    ['', '$(NODE_NAME)', undefined],
    ['.example.org', '$(NODE_NAME).example.org', undefined],
  ])('should lead from %j by %j to the node %j', (host, pattern, node) => {
    expect(nodeOfHost(host, pattern)).toBe(node);
  });
});

const report = (over: Partial<HostReport> = {}): HostReport => ({
  apiVersion: 'basekeeper.io/v1',
  kind: 'HostReport',
  host: 'host-b',
  takenAtMs: ago(10),
  onlyByReport: false,
  incomplete: [],
  workloads: [],
  pins: [],
  ...over,
});
const SYNCED: NodeEvidence = { state: 'synced' };
const NO_NODE: NodeEvidence = { state: 'failed', message: 'there is no Node host-b' };
const NO_REPORT = { problem: 'it has not reported' };

describe('what is known of a host', () => {
  it.each([
    ['the API, where nothing else has workloads', NO_REPORT, SYNCED, false, 'known', 'by the pods and VMIs of its node'],
    ['its report, where others have sources of their own', { report: report() }, SYNCED, true, 'known', 'by its report'],
    ['its report, where it is not a node', { report: report() }, NO_NODE, false, 'known', 'by its report'],
    ['its report, while its node is being listed', { report: report() }, { state: 'syncing' }, false, 'known', 'by its report'],
  ] as const)('should be known by %s', (_, found, node, needsReports, state, message) => {
    expect(judgeHost(found, node, needsReports, NOW_MS)).toMatchObject({ state, message });
  });

  it.each([
    ['nothing', NO_REPORT, NO_NODE, false, 'there is no Node host-b, and it has not reported'],
    ['the API alone, where others have sources of their own', NO_REPORT, SYNCED, true, 'it has not reported'],
    [
      'the API alone, where it has sources of its own',
      { report: report({ onlyByReport: true, takenAtMs: ago(500) }) },
      SYNCED,
      false,
      '500 s old',
    ],
    ['an old report', { report: report({ takenAtMs: ago(121) }) }, NO_NODE, false, 'its last report is 121 s old'],
    ['a report of tomorrow', { report: report({ takenAtMs: NOW_MS + 61_000 }) }, NO_NODE, true, '61 s in the future: set the clocks'],
    [
      'a report that is not complete',
      { report: report({ incomplete: ['pod a/b'] }) },
      SYNCED,
      false,
      'its own evidence is incomplete: pod a/b',
    ],
  ] as const)('should not be known by %s', (_, found, node, needsReports, message) => {
    const judged = judgeHost(found, node, needsReports, NOW_MS);
    expect(judged.state).toBe('unknown');
    expect(judged.message).toContain(message);
  });

  it('should be waited for while its node is being listed', () => {
    expect(judgeHost(NO_REPORT, { state: 'syncing' }, false, NOW_MS).state).toBe('syncing');
    expect(judgeHost(NO_REPORT, { state: 'syncing' }, true, NOW_MS).state).toBe('unknown');
  });
});
