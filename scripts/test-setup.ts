/** Runs before the tests: has the system packages, the Kubernetes binaries and the Helms that they need, or stops with the one command to run. */
import { messageOf } from '../src/lib/errors.ts';
import { ensureKubeAssets } from './lib/kube-assets.ts';
import { announceOnStderr } from './lib/run.ts';
import { cleanUpOnSignals } from './lib/signals.ts';
import { ensureSystemPackages, SYSTEM_PACKAGES } from './lib/system-packages.ts';
import { ensureHelm, ensureReleaseTool } from './lib/tools.ts';

cleanUpOnSignals(async () => {});
try {
  await ensureSystemPackages(SYSTEM_PACKAGES, announceOnStderr);
  await ensureKubeAssets();
  // Otherwise the first test that renders the chart would wait for a build.
  await ensureHelm(3);
  await ensureHelm(4);
  await ensureReleaseTool('actionlint');
} catch (error) {
  console.error(`The tests cannot run here: ${messageOf(error)}`);
  process.exitCode = 1;
}
