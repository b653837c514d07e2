/** Finds, fetches or builds the Kubernetes binaries (etcd, kube-apiserver, kubectl, …) that tests, demo and end-to-end cluster run. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory, holdingDirectory } from './cache.ts';
import { downloadComponents, DOWNLOADABLE } from './kube-download.ts';
import { type Announce, announceOnStderr, isExecutable, runLines, which } from './run.ts';
import { DEFAULT_KUBE_VERSION, ETCD_VERSION } from './versions.ts';

export type KubeComponent = 'etcd' | 'kube-apiserver' | 'kubectl' | 'kube-controller-manager' | 'kube-scheduler' | 'kubelet' | 'kube-proxy';

/** What a test against the API alone needs. */
export const API_COMPONENTS: readonly KubeComponent[] = ['etcd', 'kube-apiserver', 'kubectl'];

/** What a whole node needs. */
export const NODE_COMPONENTS: readonly KubeComponent[] = [
  ...API_COMPONENTS,
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
];

export interface KubeAssetsOptions {
  /** Default: `API_COMPONENTS`. */
  readonly components?: readonly KubeComponent[];
  /** Such as `v1.34.4`. Default: the environment's `KUBE_VERSION`, else the pinned version. */
  readonly version?: string;
  /** Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
}

const buildScript = fileURLToPath(new URL('../build-kube.sh', import.meta.url));

function versionOf(options: KubeAssetsOptions): string {
  return options.version ?? (options.env ?? process.env)['KUBE_VERSION'] ?? DEFAULT_KUBE_VERSION;
}

/** `${XDG_CACHE_HOME:-~/.cache}/basekeeper/kube/<version>`. */
export function kubeCacheDirectory(options: KubeAssetsOptions = {}): string {
  const env = options.env ?? process.env;
  const version = versionOf(options);
  if (!/^v\d+\.\d+\.\d+$/.test(version)) throw new Error(`KUBE_VERSION must look like v1.34.4, not ${JSON.stringify(version)}`);
  return cacheDirectory(env, 'kube', version);
}

function missingFrom(directory: string, components: readonly KubeComponent[]): KubeComponent[] {
  return components.filter((component) => !isExecutable(join(directory, component)));
}

/**
 * Where the binaries are now, without fetching anything: `KUBEBUILDER_ASSETS` (envtest's variable; taken for the default version only,
 * because it does not say which one it holds), else our cache. Undefined when a component is missing in both.
 */
export function kubeAssetsDirectory(options: KubeAssetsOptions = {}): string | undefined {
  const env = options.env ?? process.env;
  const components = options.components ?? API_COMPONENTS;
  const candidates = [kubeCacheDirectory(options)];
  if (env['KUBEBUILDER_ASSETS'] && versionOf(options) === DEFAULT_KUBE_VERSION) candidates.unshift(env['KUBEBUILDER_ASSETS']);
  return candidates.find((directory) => missingFrom(directory, components).length === 0);
}

/**
 * The directory that holds the components, which are downloaded or else built with Go when they are not there yet. Two runs at once do the
 * work once. Throws an error that says what to do when neither is possible.
 */
export async function ensureKubeAssets(options: KubeAssetsOptions & { readonly announce?: Announce } = {}): Promise<string> {
  const found = kubeAssetsDirectory(options);
  if (found !== undefined) return found;
  const announce = options.announce ?? announceOnStderr;
  const directory = kubeCacheDirectory(options);
  const wait = () => {
    announce(`Another run is preparing Kubernetes ${versionOf(options)}; waiting for it.`);
  };
  await holdingDirectory(directory, wait, () => provide(directory, options, announce));
  return directory;
}

async function provide(directory: string, options: KubeAssetsOptions, announce: Announce): Promise<void> {
  const version = versionOf(options);
  const components = options.components ?? API_COMPONENTS;
  const env = options.env ?? process.env;
  const wanted = missingFrom(directory, components);
  const downloadable = wanted.filter((component) => DOWNLOADABLE.has(component));
  const failures: string[] = [];
  if (downloadable.length > 0) {
    announce(`Kubernetes ${version}: downloading ${downloadable.join(', ')} to ${directory} (once)`);
    const failure = await downloadComponents({ directory, version, components: downloadable, env, announce });
    if (failure !== undefined) failures.push(`download: ${failure}`);
  }
  const unbuilt = missingFrom(directory, wanted);
  if (unbuilt.length > 0) {
    if (failures.length > 0) announce(`  not downloaded: ${failures.join('; ')}`);
    if (which('go', env['PATH']) === undefined)
      throw new Error(adviceFor(version, unbuilt, directory, [...failures, 'build: no "go" on the PATH']));
    await buildComponents(directory, version, unbuilt, announce, env);
  }
}

async function buildComponents(
  directory: string,
  version: string,
  components: readonly KubeComponent[],
  announce: Announce,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  announce(`Kubernetes ${version}: building ${components.join(', ')} with Go into ${directory} (once; some minutes on two cores)`);
  const started = performance.now();
  const heartbeat = setInterval(() => {
    announce(`  still building, ${Math.round((performance.now() - started) / 1000)} s so far`);
  }, 30_000);
  try {
    await runLines('bash', [buildScript, directory, ...components], {
      env: { ...env, KUBE_VERSION: version, ETCD_VERSION },
      onLine: (line) => {
        announce(`  ${line}`);
      },
    });
  } finally {
    clearInterval(heartbeat);
  }
}

function adviceFor(version: string, components: readonly string[], directory: string, failures: readonly string[]): string {
  return (
    `Kubernetes ${version} is not complete in ${directory}; missing: ${components.join(', ')}.\n${failures.join('\n')}\n` +
    'Install Go 1.24 or newer (https://go.dev/dl), so that they can be built, or set KUBEBUILDER_ASSETS to a directory that holds them ' +
    '(setup-envtest use -p path).'
  );
}
