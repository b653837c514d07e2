/**
 * Scans the instances path in argv twice with the same scanners, to be watched by strace. A look at `/scan-begins`,
 * `/scan-again` and `/scan-ends` (none exists) parts the two scans in the trace.
 */
import { existsSync } from 'node:fs';
import { createBaseScanner } from '../../src/scan/base-scanner.ts';
import { createOverlayScanner } from '../../src/overlays/overlay-scanner.ts';

const [instancesPath = ''] = process.argv.slice(2);
// An hour ahead, so that what was written just now counts as settled.
const clock = { now: () => ({ wallMs: Date.now() + 3_600_000, monotonicMs: performance.now() }) };
const base = createBaseScanner({ instancesPath, subdirectoryName: '_base', naming: 'strict', clock });
const overlays = createOverlayScanner({ instancesPath, subdirectoryName: '_base', overlays: 'all', clock });

for (const marker of ['/scan-begins', '/scan-again']) {
  existsSync(marker);
  await base.scan();
  await overlays.scan({ instanceNames: new Set() });
}
existsSync('/scan-ends');
