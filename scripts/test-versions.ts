/**
 * Runs the tests that ask a real API server on the oldest and on the newest Kubernetes that is supported: the chart's manifests and admission
 * policies, the API client, the reflector, sources and reporter. All other tests run on one version between them.
 *   test-versions.ts [oldest|newest]
 */
import { spawn } from 'node:child_process';
import { ensureKubeAssets } from './lib/kube-assets.ts';
import { announceOnStderr } from './lib/run.ts';
import { SUPPORTED_KUBE_VERSIONS } from './lib/versions.ts';

const SUITES = ['chart/dry-run', 'chart/admission-', 'integration/kube', 'integration/sources', 'integration/report', 'contract/sources'];

const [only] = process.argv.slice(2);
const entries = Object.entries(SUPPORTED_KUBE_VERSIONS).filter(([name]) => only === undefined || name === only);
if (entries.length === 0) throw new Error(`${only}: must be ${Object.keys(SUPPORTED_KUBE_VERSIONS).join(' or ')}`);
for (const [name, version] of entries) {
  await ensureKubeAssets({ version });
  announceOnStderr(`== ${name}: Kubernetes ${version}`);
  const status = await vitest({ KUBE_VERSION: version, TEST_REPORT: `kubernetes-${name}` });
  if (status !== 0) process.exitCode = status;
}

function vitest(env: Readonly<Record<string, string>>): Promise<number> {
  const child = spawn('vitest', ['run', '--project', 'integration', '--project', 'contract', ...SUITES], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code ?? 1);
    });
  });
}
