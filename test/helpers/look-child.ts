/**
 * Scans the instances path in argv, which the host calls by the second path, and prints what was found as JSON. The third argument
 * is `root` or `user`.
 */
import { createOverlayScanner } from '../../src/overlays/overlay-scanner.ts';
import { asUnprivileged } from './unprivileged.ts';

const [instancesPath = '', hostInstancesPath, who] = process.argv.slice(2);
const scan = () =>
  createOverlayScanner({ instancesPath, hostInstancesPath, subdirectoryName: '_base', overlays: 'all' }).scan({ instanceNames: new Set() });
process.stdout.write(JSON.stringify(await (who === 'user' ? asUnprivileged(scan) : scan())));
