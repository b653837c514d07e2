import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { API_COMPONENTS, ensureKubeAssets, kubeAssetsDirectory, NODE_COMPONENTS } from '../../scripts/lib/kube-assets.ts';

let root: string;
let servers: Server[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'basekeeper-assets-'));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  rmSync(root, { recursive: true });
});

function executable(directory: string, name: string, script = '#!/bin/sh\n'): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), script, { mode: 0o755 });
}

/** An environment whose cache, home and release index are the test's own; tools such as tar remain, go does not. */
function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { HOME: root, XDG_CACHE_HOME: join(root, 'cache'), PATH: join(root, 'bin'), ENVTEST_INDEX: 'http://127.0.0.1:9/none', ...more };
}

/** Serves an index with one release, `version`, and its archive; counts what is fetched. */
async function releaseServer(version: string, options: { readonly hash?: string } = {}): Promise<{ index: string; fetched: string[] }> {
  for (const component of API_COMPONENTS) executable(join(root, 'release', 'controller-tools', 'envtest'), component);
  execFileSync('tar', ['-czf', join(root, 'release.tar.gz'), '-C', join(root, 'release'), 'controller-tools']);
  const archive = readFileSync(join(root, 'release.tar.gz'));
  const hash = options.hash ?? createHash('sha512').update(archive).digest('hex');
  const fetched: string[] = [];
  const server = createServer((request, response) => {
    fetched.push(request.url ?? '');
    const files = ['x64', 'arm64'].map((arch) => `envtest-${version}-${process.platform}-${arch === 'x64' ? 'amd64' : arch}.tar.gz`);
    const entries = files.map((file) => `    ${file}: {hash: ${hash}, selfLink: "http://${request.headers.host}/archive"}\n`).join('');
    response.end(request.url === '/archive' ? archive : `releases:\n  ${version}:\n${entries}`);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return { index: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/index`, fetched };
}

const silent = () => {};

describe('where the Kubernetes binaries come from', () => {
  it('should be KUBEBUILDER_ASSETS when it holds all that is asked for', async () => {
    const directory = join(root, 'assets');
    for (const component of API_COMPONENTS) executable(directory, component);
    const env = environment({ KUBEBUILDER_ASSETS: directory });
    expect(kubeAssetsDirectory({ env })).toBe(directory);
    expect(await ensureKubeAssets({ env, announce: silent })).toBe(directory);
    expect(kubeAssetsDirectory({ env, components: NODE_COMPONENTS })).toBeUndefined();
  });

  it('should not be KUBEBUILDER_ASSETS when another version is asked for, because it does not say which one it holds', () => {
    const directory = join(root, 'assets');
    for (const component of API_COMPONENTS) executable(directory, component);
    expect(kubeAssetsDirectory({ env: environment({ KUBEBUILDER_ASSETS: directory }), version: 'v1.32.13' })).toBeUndefined();
  });

  it('should be the cache of that version', () => {
    const directory = join(root, 'cache', 'basekeeper', 'kube', 'v1.32.13');
    for (const component of API_COMPONENTS) executable(directory, component);
    expect(kubeAssetsDirectory({ env: environment(), version: 'v1.32.13' })).toBe(directory);
    expect(kubeAssetsDirectory({ env: environment({ KUBE_VERSION: 'v1.32.13' }) })).toBe(directory);
    expect(kubeAssetsDirectory({ env: environment(), version: 'v1.33.13' })).toBeUndefined();
  });

  it.each(['', 'relative'])('should be the cache below the home directory when XDG_CACHE_HOME is "%s"', (value) => {
    const directory = join(root, '.cache', 'basekeeper', 'kube', 'v1.32.13');
    for (const component of API_COMPONENTS) executable(directory, component);
    expect(kubeAssetsDirectory({ env: environment({ XDG_CACHE_HOME: value }), version: 'v1.32.13' })).toBe(directory);
  });

  it('should not be a cache in which one of them cannot be executed', () => {
    const directory = join(root, 'cache', 'basekeeper', 'kube', 'v1.32.13');
    for (const component of API_COMPONENTS) executable(directory, component);
    writeFileSync(join(directory, 'kubectl-part'), '');
    rmSync(join(directory, 'kubectl'));
    expect(kubeAssetsDirectory({ env: environment(), version: 'v1.32.13' })).toBeUndefined();
  });

  it('should refuse a version that would lead out of the cache', () => {
    expect(() => kubeAssetsDirectory({ env: environment(), version: '../../etc' })).toThrow('must look like v1.34.4');
  });

  it('should be a download once, though two runs ask at the same time', async () => {
    const { index, fetched } = await releaseServer('v1.34.1');
    const env = environment({ ENVTEST_INDEX: index, PATH: process.env['PATH'] });
    const [first, second] = await Promise.all([ensureKubeAssets({ env, announce: silent }), ensureKubeAssets({ env, announce: silent })]);
    expect(first).toBe(second);
    expect(readdirSync(first).toSorted()).toEqual(['.lock', ...API_COMPONENTS.toSorted()]);
    expect(fetched).toEqual(['/index', '/archive']);
  });

  it('should say what to do when the archive is not what the index says and there is no Go', async () => {
    const { index } = await releaseServer('v1.34.4', { hash: 'f00d' });
    const asked = ensureKubeAssets({ env: environment({ ENVTEST_INDEX: index }), announce: silent });
    await expect(asked).rejects.toThrow(/missing: etcd, kube-apiserver, kubectl[^]*the index says f00d[^]*no "go"[^]*Install Go/);
    expect(kubeAssetsDirectory({ env: environment() })).toBeUndefined();
  });

  it('should be built with Go when they cannot be downloaded, only what is missing, with progress', async () => {
    const log = join(root, 'go.log');
    mkdirSync(join(root, 'kubernetes'));
    writeFileSync(join(root, 'kubernetes', 'go.mod'), 'go 1.24.0\n\tk8s.io/api => ./staging/src/k8s.io/api\n');
    executable(
      join(root, 'bin'),
      'go',
      `#!/bin/bash\necho "$@" >> ${log}\ncase "$1 $2" in\n'mod download') printf '\\t"Dir": "${root}/kubernetes",\\n' ;;\nbuild*) for it; do [ "$last" != -o ] || { echo '#!' > "$it"; chmod +x "$it"; }; last=$it; done ;;\nesac\n`,
    );
    executable(join(root, 'cache', 'basekeeper', 'kube', 'v1.34.4'), 'etcd');
    const lines: string[] = [];
    const env = environment({ PATH: [join(root, 'bin'), process.env['PATH']].join(delimiter) });
    const directory = await ensureKubeAssets({ env, announce: (line) => lines.push(line) });
    expect(readdirSync(directory).toSorted()).toEqual(['.lock', ...API_COMPONENTS.toSorted()]);
    expect(lines.join('\n')).toMatch(/building kube-apiserver, kubectl with Go[^]*kube-apiserver built in[^]*kubectl built in/);
    expect(readFileSync(log, 'utf8')).toMatch(/gitVersion=v1\.34\.4/);
    expect(readFileSync(log, 'utf8')).not.toMatch(/etcd/);
  });
});
