import { globSync, readFileSync } from 'node:fs';

/** A command of a document: one line of a fenced block that is marked `sh`. */
export interface DocumentedCommand {
  readonly path: string;
  readonly command: string;
}

/** Every command of every document, without comments. */
export function documentedCommands(): readonly DocumentedCommand[] {
  return [...globSync('*.md'), ...globSync('docs/**/*.md'), ...globSync('charts/**/*.md')].toSorted().flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/^```(?:sh|bash|shell|console)\n([^]*?)^```/gm)]
      .flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').trim().split('\n'))
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((command) => ({ path, command })),
  );
}

const ID = 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0';
const FILE = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const TREE = '--instances-path /var/lib/nova/instances --workloads examples/workloads.yaml';

const SHARED = '--config examples/shared-storage.yaml --instances-path /var/lib/nova/instances';

/**
 * Where each command is run, in this order:
 * on a directory of instances alone, with an API server and an agent (both test/integration/documents.test.ts), on a cluster
 * (test/e2e/documents.test.ts, and the rehearsal of a release), by that rehearsal alone, or by the scripts that run all tests, which no test can run.
 */
export const RUN_BY: Readonly<Record<'directory' | 'apiServer' | 'cluster' | 'release' | 'scripts', readonly string[]>> = {
  directory: [
    `npm run basekeeper -- plan ${TREE}`,
    `npm run basekeeper -- explain ${FILE} ${TREE}`,
    'npm run basekeeper -- --help',
    `basekeeper plan ${TREE}`,
    `basekeeper explain ${ID} ${TREE}`,
    `basekeeper hosts ${SHARED}`,
    `basekeeper hosts ${SHARED} --forget node-7`,
    "echo '{}' > /var/lib/nova/instances/compute_nodes",
    'basekeeper restore --list --instances-path /var/lib/nova/instances',
    `basekeeper restore ${FILE} --instances-path /var/lib/nova/instances`,
    'npm run build',
    'install -m 755 dist/kubectl-basekeeper.js /usr/local/bin/kubectl-basekeeper',
  ],
  apiServer: [
    'kubectl basekeeper --help',
    'kubectl basekeeper status',
    'kubectl basekeeper doctor',
    'kubectl basekeeper status --selector kubernetes.io/os=linux -o json',
    'kubectl basekeeper status -o wide',
    'kubectl basekeeper completion kubectl > /usr/local/bin/kubectl_complete-basekeeper',
    'chmod +x /usr/local/bin/kubectl_complete-basekeeper',
    'kubectl basekeeper status node-1',
    `kubectl basekeeper explain node-1 ${ID}`,
    `kubectl basekeeper explain node-1 ${FILE} -o json`,
    'kubectl basekeeper history node-1',
    `kubectl basekeeper history node-1 --since 7d --image ${ID}`,
    `kubectl basekeeper where ${ID}`,
    `kubectl basekeeper where ${FILE} --wide`,
    `kubectl basekeeper where ${ID} -o name`,
    'kubectl basekeeper where --wanted',
    'kubectl basekeeper mode node-1 enforce',
    'kubectl basekeeper run node-1',
    'kubectl basekeeper run --selector kubernetes.io/hostname=node-1 --no-wait',
    'kubectl basekeeper mode node-1 dry-run',
    'kubectl basekeeper mode --all dry-run',
    'kubectl basekeeper mode node-1 configured',
    'kubectl annotate node node-1 --overwrite basekeeper.io/run-now=once-more',
    'kubectl annotate node node-1 --overwrite basekeeper.io/mode=dry-run',
    'kubectl annotate node node-1 basekeeper.io/mode-',
    'kubectl annotate node --all basekeeper.io/last-pass- basekeeper.io/last-removal- basekeeper.io/result- basekeeper.io/summary- basekeeper.io/cache- basekeeper.io/images- basekeeper.io/wanted-images- basekeeper.io/run-now-done-',
    'kubectl annotate node --all basekeeper.io/mode- basekeeper.io/run-now- basekeeper.io/pin- basekeeper.io/wanted-',
  ],
  cluster: [
    'kubectl create namespace basekeeper',
    'kubectl label namespace basekeeper pod-security.kubernetes.io/enforce=privileged',
    'helm install basekeeper oci://REGISTRY/charts/basekeeper --version 0.2.0 --namespace basekeeper',
    'kubectl --namespace basekeeper rollout status daemonset/basekeeper',
    'kubectl describe node node-1',
    'helm upgrade basekeeper oci://REGISTRY/charts/basekeeper --version 0.2.0 --namespace basekeeper --reuse-values --set config.mode=enforce',
    'helm upgrade basekeeper oci://REGISTRY/charts/basekeeper --version 0.2.0 --namespace basekeeper --reset-then-reuse-values',
    'helm history basekeeper --namespace basekeeper',
    'helm rollback basekeeper --namespace basekeeper',
    'kubectl annotate node --all basekeeper.io/mode-',
    'helm uninstall basekeeper --namespace basekeeper',
    'kubectl delete namespace basekeeper',
    'kubectl apply --kustomize manifests/overlays/dry-run',
    'kubectl delete --kustomize manifests/overlays/dry-run',
    'npm run basekeeper -- cleanup',
  ],
  release: [
    ...['basekeeper', 'charts/basekeeper', 'kubectl-basekeeper'].map((it) => `cosign verify --key cosign.pub REGISTRY/${it}:0.2.0`),
    'cosign verify-attestation --key cosign.pub --type cyclonedx REGISTRY/basekeeper:0.2.0',
    'cosign verify-attestation --key cosign.pub --type slsaprovenance1 REGISTRY/basekeeper:0.2.0',
    'cosign verify-blob --key cosign.pub --bundle SHA256SUMS.bundle SHA256SUMS',
    'sha256sum --check --strict SHA256SUMS',
    'npm run release:verify -- --version 0.2.0 --registry REGISTRY --source SOURCE --key cosign.pub',
    'oras pull REGISTRY/kubectl-basekeeper:0.2.0',
    'tar --extract --file kubectl-basekeeper-0.2.0.tar.gz --directory /usr/local/bin kubectl-basekeeper kubectl_complete-basekeeper',
  ],
  scripts: [
    'npm run release:rehearsal',
    'npm run release -- --version 0.2.0 --registry REGISTRY --source SOURCE',
    'npm ci && npm run demo',
    'npm cit',
    'npm ci && npm test',
  ],
};
