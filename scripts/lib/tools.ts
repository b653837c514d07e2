/** Command-line tools that are Go modules: found, or built once from the Go module proxy into the user's cache. */
import { execFile } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory, holdingDirectory } from './cache.ts';
import { type Announce, announceOnStderr, isExecutable, runLines, which } from './run.ts';
import { HELM_VERSIONS, PROMETHEUS_OPERATOR_VERSION, RELEASE_TOOL_VERSIONS } from './versions.ts';

interface GoTool {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly ldflags: string;
}

interface ToolOptions {
  /** Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  readonly announce?: Announce;
}

export type HelmMajor = keyof typeof HELM_VERSIONS;

/** Helm as `go install` builds it takes the cluster for Kubernetes 1.20 when it only renders; its releases are stamped like this. */
function helmTool(major: HelmMajor): GoTool {
  const version = HELM_VERSIONS[major];
  const module = `helm.sh/helm/v${major}`;
  const rendersFor = ['pkg/chartutil', 'pkg/lint/rules'].flatMap((path) => [
    `-X ${module}/${path}.k8sVersionMajor=1`,
    `-X ${module}/${path}.k8sVersionMinor=34`,
  ]);
  const ldflags = ['-s -w', `-X ${module}/internal/version.version=${version}`, ...(major === 3 ? rendersFor : [])].join(' ');
  return { name: 'helm', package: `${module}/cmd/helm`, version, ldflags };
}

/** The path of the pinned Helm of this major version, built on first use. Throws an error that says what to do when there is no Go. */
export function ensureHelm(major: HelmMajor, options: ToolOptions = {}): Promise<string> {
  return ensureGoTool(helmTool(major), options);
}

export type ReleaseTool = keyof typeof RELEASE_TOOL_VERSIONS;

const RELEASE_TOOL_PACKAGES: Readonly<Record<ReleaseTool, string>> = {
  registry: 'github.com/distribution/distribution/v3/cmd/registry',
  cosign: 'github.com/sigstore/cosign/v2/cmd/cosign',
  oras: 'oras.land/oras/cmd/oras',
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint',
};

/** The path of a pinned tool of releases: the one that `COSIGN`, `ORAS` and so on name, else one that is built on first use. */
export async function ensureReleaseTool(name: ReleaseTool, options: ToolOptions = {}): Promise<string> {
  const given = (options.env ?? process.env)[name.toUpperCase()] ?? '';
  if (given !== '') return given;
  return ensureGoTool({ name, package: RELEASE_TOOL_PACKAGES[name], version: RELEASE_TOOL_VERSIONS[name], ldflags: '-s -w' }, options);
}

/** The Prometheus operator's CustomResourceDefinitions, by kind in lower case: `podmonitors`, `servicemonitors`, `prometheusrules`. */
export async function prometheusOperatorCrd(plural: string): Promise<string> {
  const module = `github.com/prometheus-operator/prometheus-operator@${PROMETHEUS_OPERATOR_VERSION}`;
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], {
    env: { ...process.env, GOFLAGS: '-mod=mod' },
  });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  return join(Dir, 'example', 'prometheus-operator-crd', `monitoring.coreos.com_${plural}.yaml`);
}

async function ensureGoTool(tool: GoTool, options: ToolOptions): Promise<string> {
  const env = options.env ?? process.env;
  const announce = options.announce ?? announceOnStderr;
  const directory = cacheDirectory(env, tool.name, tool.version);
  const path = join(directory, tool.name);
  if (isExecutable(path)) return path;
  const wait = () => {
    announce(`Another run is building ${tool.name} ${tool.version}; waiting for it.`);
  };
  await holdingDirectory(directory, wait, async () => {
    if (!isExecutable(path)) await goInstall(tool, path, env, announce);
  });
  return path;
}

async function goInstall(tool: GoTool, path: string, env: NodeJS.ProcessEnv, announce: Announce): Promise<void> {
  if (which('go', env['PATH']) === undefined) {
    throw new Error(`${tool.name} ${tool.version} is not there and cannot be built: install Go (https://go.dev/dl), or put it at ${path}.`);
  }
  announce(`Building ${tool.name} ${tool.version} with Go into ${path} (once; two minutes on two cores)`);
  const temporary = mkdtempSync(`${path}-`);
  try {
    await runLines('go', ['install', '-trimpath', `-ldflags=${tool.ldflags}`, `${tool.package}@${tool.version}`], {
      env: { ...env, GOBIN: temporary, GOFLAGS: '', CGO_ENABLED: '0' },
      onLine: () => {},
    });
    renameSync(join(temporary, tool.name), path);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
