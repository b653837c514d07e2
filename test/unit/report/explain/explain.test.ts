import { describe, expect, it } from 'vitest';
import type { PlannedFile } from '../../../../src/model/plan.ts';
import type { Report } from '../../../../src/model/report.ts';
import { explain } from '../../../../src/report/explain/explain.ts';
import { explanationText } from '../../../../src/report/terminal/explanation.ts';
import { planOf } from '../../../../src/report/plan-of.ts';
import { heldReport, missingBackingFile, plannedFile, removableFile, report, VM } from '../../../helpers/reports.ts';

const IMAGE = 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0';
const DIGEST = '0d5e6b61602d758984b3bf038267614d6016eb2a';

const files = [
  plannedFile(),
  plannedFile({ name: `${DIGEST}_10737418240`, kind: 'resized' }),
  plannedFile({ name: `${DIGEST}_sm`, kind: 'legacy' }),
  plannedFile({ name: `${DIGEST}.part`, kind: 'foreign' }),
  plannedFile({ name: 'f'.repeat(40) }),
  plannedFile({ name: 'swap_512', kind: 'swap' }),
];

function namesFor(subject: string): readonly string[] {
  return explain(planOf(report({ files })), subject).files.map(({ name }) => name);
}

/** The one sentence about what comes next. */
function nextOf(over: Partial<PlannedFile>, of: Partial<Report> = {}): string | undefined {
  const { outcome, ...file } = plannedFile(over);
  return explain(report({ ...of, files: [over.outcome === undefined ? file : { ...file, outcome }] }), DIGEST).files[0]?.next;
}

describe('what is explained', () => {
  it.each([
    ['every file of an image, for its id', IMAGE, [DIGEST, `${DIGEST}_10737418240`, `${DIGEST}_sm`]],
    ['every file of an image, for the name of its original', DIGEST, [DIGEST, `${DIGEST}_10737418240`, `${DIGEST}_sm`]],
    ['one file, for its name', `${DIGEST}_sm`, [`${DIGEST}_sm`]],
    ['one file that is not an image', 'swap_512', ['swap_512']],
    ['a foreign file', `${DIGEST}.part`, [`${DIGEST}.part`]],
    ['a path in the base directory', '/var/lib/nova/instances/_base/swap_512', ['swap_512']],
    ['a relative path', '_base/swap_512', ['swap_512']],
    ['nothing, for an unknown image', 'another-image', []],
    ['nothing, for a part of a name', DIGEST.slice(0, 12), []],
    ['nothing, for a prototype key', '__proto__', []],
  ])('should be %s', (_what, subject, names) => {
    expect(namesFor(subject)).toEqual(names);
  });
});

describe('what comes next', () => {
  it.each<[string, Partial<PlannedFile>, string]>([
    [
      'a file in use',
      { verdict: 'touch' },
      'It stays while it is used. Once nothing uses it, it becomes removable 24h after the last use.',
    ],
    [
      'a backing file',
      { reason: 'BackingFileOfOverlay', verdict: 'touch', minimumAgeSeconds: 3600 },
      'It stays while it is used. Once nothing uses it, it becomes removable 60m after the last use.',
    ],
    ['a foreign file', { reason: 'ForeignFile' }, 'It is never removed.'],
    [
      'a pinned file',
      { reason: 'PinnedByConfig' },
      'It stays until its pin is taken away: from the configuration, the node or the ConfigMap that it is used by.',
    ],
    ['removals that are off', { reason: 'RemovalDisabled' }, 'It stays until the configuration says removeUnusedBaseImages: true.'],
    [
      'a young file',
      { reason: 'YoungerThanMinimumAge', ageSeconds: 3600 },
      'It becomes removable at 2026-11-24T13:00:00.000Z, in 23h, if nothing uses it until then.',
    ],
    ['a full pass', { reason: 'RemovalLimitReached' }, 'It goes in one of the next passes; maxRemovalsPerPass lets older files go first.'],
    ['an unused file', { reason: 'Unused', verdict: 'remove' }, 'The next pass that enforces removes it.'],
    ['a young file that a full disk takes', { reason: 'UnderPressure', verdict: 'remove' }, 'The next pass that enforces removes it.'],
    ['a young file that the budget takes', { reason: 'OverBudget', verdict: 'remove' }, 'The next pass that enforces removes it.'],
    ['a file that was removed', { reason: 'Unused', verdict: 'remove', outcome: 'removed' }, 'The file was unlinked.'],
    [
      'a removal that failed',
      { reason: 'Unused', verdict: 'remove', outcome: 'RemovalFailed', outcomeMessage: 'EBUSY' },
      'The file could not be removed, or its removal could not be checked or recorded before; the message says why. (EBUSY)',
    ],
  ])('should be told for %s', (_what, over, sentence) => {
    expect(nextOf({ outcome: undefined, ...over })).toBe(sentence);
  });

  it('should name what closes the gate', () => {
    const { gate } = heldReport();
    expect(nextOf({ reason: 'GateClosed', outcome: undefined }, { gate })).toBe(
      'It goes in the first pass whose gate is open. The gate is closed: SourceNotSynced.',
    );
  });

  it('should say since when or from when a file is old enough, unless its use resets the age', () => {
    expect(explain(report({ files: [removableFile({ ageSeconds: 86_401 })] }), DIGEST).files[0]?.oldEnoughAt).toBe(
      '2026-11-23T13:59:59.000Z',
    );
    expect(explain(report({ files: [plannedFile({ verdict: 'touch' })] }), DIGEST).files[0]).not.toHaveProperty('oldEnoughAt');
  });
});

describe('an explanation for people', () => {
  it('should say who uses the file and through what, the rule, and what is found about it', () => {
    const usedBy = [
      { by: 'tenant/vm-1', through: 'image', value: IMAGE, object: VM },
      { by: 'instance-00000002', through: 'overlay', value: 'instance-00000002/disk', chain: ['instance-00000002/snapshot', '_base/x'] },
    ] as const;
    const explanation = explain(
      report({ files: [plannedFile({ verdict: 'touch', outcome: 'touched', usedBy })], findings: [missingBackingFile()] }),
      IMAGE,
    );
    expect([...explanationText(explanation, false)].join('')).toBe(
      [
        `1 base file of ${IMAGE} (sha1 ${DIGEST}) in /var/lib/nova/instances/_base, at 2026-11-23 14:00:00 UTC`,
        '',
        DIGEST,
        '  File      original, 1.0 GiB on disk (1.0 GiB long), modified 3d ago (2026-11-20 14:00:00 UTC)',
        '  Verdict   touch, touched: ReferencedByWorkload. A workload names this image, kernel, ramdisk, swap or ephemeral disk; it is in use.',
        `  Used by   tenant/vm-1: image ${IMAGE} [VirtualMachineInstance tenant/vm-1]`,
        '            instance-00000002: overlay instance-00000002/disk → instance-00000002/snapshot → _base/x',
        '  Next      It stays while it is used. Once nothing uses it, it becomes removable 24h after the last use.',
        '  Finding   BackingFileMissing: instance-00000001: instance-00000001/disk: its backing file 0d5e… does not exist',
        '',
      ].join('\n'),
    );
  });

  it('should say what holds a file', () => {
    expect([...explanationText(explain(heldReport(), DIGEST), false)].join('')).toContain(
      '  Held by   SourceNotSynced: source pods is syncing\n',
    );
  });

  it('should show no control character of anything', () => {
    const hostile = 'a\u001B[31m\nb\u202E';
    const usedBy = [{ by: hostile, through: 'image', value: hostile, object: { ...VM, name: hostile } }] as const;
    const file = plannedFile({ name: hostile, kind: 'foreign', usedBy, outcome: 'RemovalFailed', outcomeMessage: hostile });
    const text = [
      ...explanationText(
        explain(report({ files: [file], findings: [missingBackingFile({ file: hostile, message: hostile })] }), hostile),
        false,
      ),
    ].join('');
    expect(text.match(/[^\n\P{Cc}]|\p{Cf}/u)).toBeNull();
  });
});
