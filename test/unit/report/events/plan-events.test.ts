import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../../src/model/plan.ts';
import type { Report } from '../../../../src/model/report.ts';
import { EVENT_REASONS } from '../../../../src/report/events/reasons.ts';
import {
  forgetProblems,
  NODE_EVENTS_PER_MINUTE,
  NO_TROUBLES,
  OBJECT_EVENTS_PER_PASS,
  planEvents,
  type ProblemMemory,
} from '../../../../src/report/events/plan-events.ts';
import { digestOf } from '../../../../src/report/digest.ts';
import {
  heldReport,
  later,
  missingBackingFile,
  NODE,
  plannedFile,
  removableFile,
  report,
  undecidedReport,
  VM,
} from '../../../helpers/reports.ts';

function plan(of: Report, memory: ProblemMemory = NO_TROUBLES, node: typeof NODE | undefined = NODE) {
  return planEvents({ report: of, digest: digestOf(of), node, memory, reminderSeconds: 3600 });
}

function reasonsOf(of: Report, memory?: ProblemMemory): string[] {
  return plan(of, memory).events.map(({ reason, regarding }) => `${reason} ${regarding.kind}/${regarding.name}`);
}

function unmapped(index: number): Finding {
  const object = { apiVersion: 'v1', kind: 'Pod', namespace: 'tenant', name: `pod-${index}`, uid: `uid-${index}` };
  return { type: 'UnmappedWorkload', workload: `tenant/pod-${index}`, object, message: `pod tenant/pod-${index} mounts it` };
}

describe('the events of a pass', () => {
  it('should be none when nothing happened', () => {
    expect(plan(report()).events).toEqual([]);
  });

  it('should be one summary for all files that were removed', () => {
    const files = Array.from({ length: 7 }, (_, index) => removableFile({ name: `swap_${index}`, kind: 'swap', outcome: 'removed' }));
    const { events } = plan(report({ files: [...files, plannedFile()] }));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ type: 'Normal', reason: 'BaseFilesRemoved', action: 'RemoveBaseFiles', regarding: NODE });
    expect(events[0]?.note).toBe(
      'Removed 7 unused base files, 7.0 GiB: swap_0 (swap, 1.0 GiB), swap_1 (swap, 1.0 GiB), swap_2 (swap, 1.0 GiB), swap_3 (swap, 1.0 GiB), ' +
        'swap_4 (swap, 1.0 GiB) and 2 more. 1 base file, 1.0 GiB, remain.',
    );
  });

  it('should tell that a pass stopped at a share of the cache, and how to go on or stop', () => {
    const limited = { removals: 25, waitingFiles: 75 };
    const [event] = plan(report({ limited })).events;
    expect(event).toMatchObject({ type: 'Normal', reason: 'RemovalsLimited', regarding: NODE });
    expect(event?.note).toBe(
      '75 unused base files left for the next passes, which go on by themselves: a pass without maxRemovalsPerPass removes a quarter of the base ' +
        'files at most, 25 this time. Expected at first. Set maxRemovalsPerPass to remove more at once (0: no limit), or stop: kubectl basekeeper mode NODE dry-run.',
    );
    expect(plan(report({ limited, dryRun: true })).events).toEqual([]);
  });

  it('should tell which removals failed and why', () => {
    const { events } = plan(
      report({
        result: 'Succeeded',
        files: [removableFile({ name: 'swap_1', outcome: 'RemovalFailed', outcomeMessage: 'EROFS: read-only' })],
      }),
    );
    expect(events.map(({ reason }) => reason)).toEqual(['BaseFileRemovalFailed']);
    expect(events[0]?.note).toContain('1 unused base file could not be removed: swap_1 (EROFS: read-only).');
  });

  it('should tell why removals are held, and what to do', () => {
    const { events } = plan(heldReport());
    expect(events[0]).toMatchObject({ type: 'Warning', reason: 'RemovalHeld', regarding: NODE });
    expect(events[0]?.note).toBe(
      `1 unused base file, 1.0 GiB, may not be removed: SourceNotSynced: source pods is syncing. ${EVENT_REASONS.RemovalHeld.advice}`,
    );
  });

  it('should be four about the node in a minute at most, and short ones', () => {
    const value = '{"config":{"exemptPods":[{"namespace":"tenant","selector":{"matchLabels":{"app":"pod"}}}]}}';
    const pod = { ...unmapped(1), message: `pod tenant/pod-1 mounts it. If it runs no VM: ${value}` };
    const types = ['BackingFileMissing', 'FilesystemPressure', 'BaseFileMismatch', 'BackingFileUnknown'] as const;
    const findings: Finding[] = [pod, ...types.map((type) => ({ type, message: type }))];
    const gate = { open: false, reasons: [{ reason: 'WorkloadIncomplete', message: pod.message }] } as const;
    const first = plan(heldReport({ findings, gate }));
    const aboutNode = first.events.filter(({ regarding }) => regarding === NODE);
    expect(aboutNode.map(({ reason }) => reason)).toEqual(['RemovalHeld', 'BackingFileMissing', 'FilesystemPressure', 'BaseFileMismatch']);
    expect(aboutNode).toHaveLength(NODE_EVENTS_PER_MINUTE);
    for (const { note } of aboutNode) expect(note.length).toBeLessThan(400);
    expect(aboutNode[0]?.note).not.toContain('exemptPods');
    // The pod's own event has the value in full.
    expect(first.events.find(({ regarding }) => regarding.kind === 'Pod')?.note).toContain(value);
    expect(reasonsOf(heldReport({ findings, gate, takenAt: later(30) }), first.memory)).toEqual([]);
    expect(reasonsOf(heldReport({ findings, gate, takenAt: later(70) }), first.memory)).toEqual(['BackingFileUnknown Node/node-1']);
  });

  it('should not speak of a closed gate that holds nothing back', () => {
    const gate = { open: false, reasons: [{ reason: 'SourceNotSynced', message: 'source pods is syncing' }] } as const;
    expect(plan(report({ gate })).events).toEqual([]);
  });

  it('should tell that a pass failed', () => {
    expect(plan(undecidedReport('Failed', 'EIO: _base')).events[0]?.note).toMatch(/^The pass failed: EIO: _base\. /);
  });

  it('should say nothing of a pass that was skipped', () => {
    expect(plan(undecidedReport('Skipped', 'the mode is off')).events).toEqual([]);
  });

  it.each(['BackingFileMissing', 'BackingFileUnknown', 'UnmappedWorkload'] as const)(
    'should tell of %s at the node and at the object that is concerned',
    (type) => {
      const { events } = plan(report({ findings: [missingBackingFile({ type })] }));
      expect(events).toMatchObject([
        { reason: type, regarding: NODE },
        { reason: type, regarding: VM, related: NODE },
      ]);
    },
  );

  it('should tell at the node of a cache that stays over its budget, and what holds it', () => {
    const message = 'the cache holds 2.0 GiB and its budget is 1.0 GiB, after the planned removals it holds 2.0 GiB: used 2.0 GiB';
    const { events } = plan(report({ findings: [{ type: 'BudgetExceeded', message }] }));
    expect(events).toMatchObject([{ reason: 'BudgetExceeded', regarding: NODE }]);
    expect(events[0]?.note).toBe(`1 cache that removals do not bring below its budget: ${message}. ${EVENT_REASONS.BudgetExceeded.advice}`);
  });

  it('should tell once of an object with several findings', () => {
    const findings = [missingBackingFile(), missingBackingFile({ message: 'instance-00000001/disk.eph0: gone as well' })];
    const { events } = plan(report({ findings }));
    expect(events).toHaveLength(2);
    expect(events[0]?.note).toMatch(/^2 disks without a backing file: /);
    expect(events[1]?.note).toMatch(/^instance-00000001\/disk: .*, instance-00000001\/disk\.eph0: gone as well\. /);
  });

  it('should wait while the UID of the node is unknown, and forget nothing meanwhile', () => {
    const { memory } = plan(heldReport());
    const waiting = planEvents({ report: report(), digest: digestOf(report()), node: undefined, memory, reminderSeconds: 3600 });
    expect(waiting).toEqual({ events: [], memory });
  });
});

describe('a problem that stands', () => {
  const held = (takenAt: string): Report => heldReport({ takenAt });

  it('should not be told again by the next pass', () => {
    expect(reasonsOf(held(later(2400)), plan(held(later(0))).memory)).toEqual([]);
  });

  it('should be reported again after an hour, when the API server has forgotten it', () => {
    const { memory } = plan(held(later(0)));
    expect(reasonsOf(held(later(3599)), memory)).toEqual([]);
    expect(reasonsOf(held(later(3600)), memory)).toEqual(['RemovalHeld Node/node-1']);
  });

  it('should be reported again when the clock was set back since: the API server forgets it anyway', () => {
    expect(reasonsOf(held(later(-86_400)), plan(held(later(0))).memory)).toEqual(['RemovalHeld Node/node-1']);
  });

  it('should be reported again when it changed', () => {
    const gate = { open: false, reasons: [{ reason: 'SourceStale', message: 'source pods' }] } as const;
    expect(reasonsOf(heldReport({ takenAt: later(60), gate }), plan(held(later(0))).memory)).toEqual(['RemovalHeld Node/node-1']);
  });

  it('should not count as changed when only the words of its message did', () => {
    const gate = { open: false, reasons: [{ reason: 'SourceNotSynced', message: 'source pods: retry 17' }] } as const;
    expect(reasonsOf(heldReport({ takenAt: later(60), gate }), plan(held(later(0))).memory)).toEqual([]);
  });

  it('should be reported again when it comes back', () => {
    const gone = plan(report({ takenAt: later(60) }), plan(held(later(0))).memory);
    expect(gone.events).toEqual([]);
    expect(reasonsOf(held(later(120)), gone.memory)).toEqual(['RemovalHeld Node/node-1']);
  });

  it('should be reported again when the node is another one', () => {
    const other = { ...NODE, uid: 'uid-2' };
    expect(plan(held(later(60)), plan(held(later(0))).memory, other).events).toMatchObject([{ regarding: other }]);
  });

  it('should stay remembered by a pass that decided nothing', () => {
    const failed = plan(undecidedReport('Failed', 'EIO', later(60)), plan(held(later(0))).memory);
    expect(failed.events.map(({ reason }) => reason)).toEqual(['PassFailed']);
    expect(reasonsOf(held(later(120)), failed.memory)).toEqual([]);
  });

  it('should be reported again when its event could not be sent', () => {
    const { events, memory } = plan(held(later(0)));
    const forgotten = forgetProblems(memory, new Set(events.map(({ problem }) => problem)));
    expect(reasonsOf(held(later(60)), forgotten)).toEqual(['RemovalHeld Node/node-1']);
  });

  it('should be told of for so many objects a pass only, the others by the next', () => {
    const findings = Array.from({ length: OBJECT_EVENTS_PER_PASS + 20 }, (_, index) => unmapped(index));
    const first = plan(report({ findings, takenAt: later(0) }));
    expect(first.events).toHaveLength(1 + OBJECT_EVENTS_PER_PASS);
    const second = plan(report({ findings, takenAt: later(60) }), first.memory);
    expect(second.events).toHaveLength(20);
    expect(plan(report({ findings, takenAt: later(120) }), second.memory).events).toEqual([]);
  });
});

describe('the note of an event', () => {
  it('should fit, keep its advice, and hold no control characters, whatever names hold', () => {
    const message = `\u001B]0;owned\u0007\u202E${'💾'.repeat(2000)}`;
    for (const { note, reason } of plan(report({ findings: [missingBackingFile({ message })] })).events) {
      expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
      expect(note).toMatch(/\\u\{1b\}\]0;owned\\u\{7\}\\u\{202e\}/u);
      expect(note).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      expect(note.endsWith(EVENT_REASONS[reason].advice)).toBe(true);
    }
  });
});
