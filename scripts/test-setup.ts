/** Runs before the tests: has the system packages and the Kubernetes binaries that they need, or stops with the one command to run. */
import { messageOf } from '../src/lib/errors.ts';
import { ensureKubeAssets } from './lib/kube-assets.ts';
import { announceOnStderr } from './lib/run.ts';
import { cleanUpOnSignals } from './lib/signals.ts';
import { ensureSystemPackages, SYSTEM_PACKAGES } from './lib/system-packages.ts';

cleanUpOnSignals(async () => {});
try {
  await ensureSystemPackages(SYSTEM_PACKAGES, announceOnStderr);
  await ensureKubeAssets();
} catch (error) {
  console.error(`The tests cannot run here: ${messageOf(error)}`);
  process.exitCode = 1;
}
