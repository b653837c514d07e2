import { describe, expect, it } from 'vitest';
import type { Report } from '../../../../src/model/report.ts';
import type { PlannedTrashedFile } from '../../../../src/model/plan.ts';
import { explain } from '../../../../src/report/explain/explain.ts';
import { explanationText } from '../../../../src/report/terminal/explanation.ts';
import { restoreHere, restoreInPod } from '../../../../src/report/explain/restore-command.ts';
import { heldReport, report, trashedFile, trashPlan } from '../../../helpers/reports.ts';

const IMAGE = 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0';
const DIGEST = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const ENTRY = `${DIGEST}.1763733600000`;

const KEPT = trashedFile(ENTRY, { verdict: 'keep', reason: 'WithinGrace', graceEndsAt: '2026-11-24T14:00:00.000Z', outcome: 'kept' });
const FILES = [
  KEPT,
  trashedFile(`${DIGEST}.5`),
  trashedFile(`${DIGEST}_sm.6`, { kind: 'legacy' }),
  trashedFile('swap_512.7', { kind: 'swap' }),
];

function withTrash(files: readonly PlannedTrashedFile[], over: Partial<Report> = {}): Report {
  return report({ ...over, files: [], trash: trashPlan(files) });
}

describe('what is explained of the trash', () => {
  it.each([
    ['every file of an image, for its id', IMAGE, [ENTRY, `${DIGEST}.5`, `${DIGEST}_sm.6`]],
    ['every file of an image, for the name of its original', DIGEST, [ENTRY, `${DIGEST}.5`, `${DIGEST}_sm.6`]],
    ['one file, for its name', 'swap_512', ['swap_512.7']],
    ['one file, for its name in the trash', `${DIGEST}.5`, [`${DIGEST}.5`]],
    ['one file, for its path', `/var/lib/nova/instances/_base/.basekeeper-trash/${ENTRY}`, [ENTRY]],
    ['nothing, for an unknown image', 'another-image', []],
  ])('should be %s', (_what, subject, entries) => {
    expect(explain(withTrash(FILES), subject).trash.map(({ entry }) => entry)).toEqual(entries);
  });

  it('should be nothing where there is no trash', () => {
    expect(explain(report(), DIGEST).trash).toEqual([]);
  });
});

describe('what comes next for a file in the trash', () => {
  it.each<[string, Partial<PlannedTrashedFile>, RegExp]>([
    [
      'within its grace',
      { verdict: 'keep', reason: 'WithinGrace', graceEndsAt: '2026-11-24T14:00:00.000Z' },
      /^It is removed for good at 2026-11-24T14:00:00\.000Z, in 24h/,
    ],
    ['that is needed', { verdict: 'restore', reason: 'NeededAgain' }, /^The next pass that enforces puts it back\.$/],
    ['whose grace is over', { reason: 'GraceOver' }, /^The next pass that enforces removes it for good\.$/],
    ['while the gate is closed', { verdict: 'keep', reason: 'GateClosed', outcome: 'kept' }, /The gate is closed: SourceNotSynced\.$/],
    [
      'that could not be put back',
      { outcome: 'RestoreFailed', outcomeMessage: 'EMLINK' },
      /^The file could not be put back .* \(EMLINK\)$/,
    ],
    ['that another file of its name keeps there', { outcome: 'kept', outcomeMessage: 'There again.' }, /There again\./],
  ])('should be told of one %s', (_what, over, sentence) => {
    const { gate } = heldReport();
    expect(explain(withTrash([trashedFile(ENTRY, over)], { gate }), ENTRY).trash[0]?.next).toMatch(sentence);
  });

  it.each(['restored', 'emptied', 'AlreadyGone'] as const)('should be no command for one that has left it: %s', (outcome) => {
    expect(explain(withTrash([trashedFile(ENTRY, { outcome })]), ENTRY).trash[0]).not.toHaveProperty('restore');
  });
});

describe('the command that restores it', () => {
  it.each([
    ['the default base directory', restoreHere('/srv/nova/_base'), `basekeeper restore ${ENTRY} --instances-path /srv/nova`],
    ['a configuration', restoreHere('/srv/nova/_base', 'my config.yaml'), `basekeeper restore ${ENTRY} --config 'my config.yaml'`],
    ['a base directory of another name', restoreHere('/srv/nova/cache'), `basekeeper restore ${ENTRY} --config FILE`],
    [
      'an agent’s pod',
      restoreInPod({ namespace: 'ns', name: 'pod' }),
      `kubectl exec --namespace ns pod --container agent -- /nodejs/bin/node /app/basekeeper.mjs restore ${ENTRY} --config /etc/basekeeper/config.yaml`,
    ],
  ])('should be exact for %s', (_what, restore, command) => {
    expect(restore(ENTRY)).toBe(command);
  });

  it('should take a hostile name for one word', () => {
    expect(restoreHere('/srv/_base')("-x'; rm -rf ~ #.5")).toBe(
      String.raw`basekeeper restore '-x'\''; rm -rf ~ #.5' --instances-path /srv`,
    );
  });
});

describe('an explanation of the trash for people', () => {
  it('should say when the file was moved there, until when it is kept, why, and how it comes back', () => {
    expect([...explanationText(explain(withTrash([KEPT]), IMAGE), false)].join('')).toBe(
      [
        `0 base files of ${IMAGE} (sha1 ${DIGEST}) in /var/lib/nova/instances/_base, 1 file in its trash, at 2026-11-23 14:00:00 UTC`,
        '',
        `${DIGEST}, in the trash`,
        '  File      original, 1.0 GiB on disk (1.0 GiB long)',
        '  Trashed   2d ago (2026-11-21 14:00:00 UTC), kept until 2026-11-24 14:00:00 UTC',
        '  Verdict   keep, kept: WithinGrace. It was removed less than trash.graceSeconds ago.',
        '  Next      It is removed for good at 2026-11-24T14:00:00.000Z, in 24h, or sooner where space is short; a pass that finds it needed puts it back.',
        `  Restore   basekeeper restore ${ENTRY} --instances-path /var/lib/nova/instances`,
        '',
      ].join('\n'),
    );
  });
});
