/** Stands in for the Dockerfile's base images where none can be pulled: made from Debian packages, npm and the Node.js of node_modules. */
import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { output } from '../lib/command.ts';

/** What distroless/nodejs has: glibc, the C++ runtime and data files. */
const RUNTIME_PACKAGES = ['base-files', 'libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates', 'tzdata', 'netbase'];
/** And what it takes to run a shell and npm. */
const BUILD_PACKAGES = ['dash', 'coreutils', 'libacl1', 'libattr1', 'libgmp10', 'libselinux1', 'libpcre2-8-0'];
const NPM_VERSION = '11.6.2';

export interface BaseImages {
  readonly build: string;
  readonly runtime: string;
}

/** Makes both with buildah, in `directory`. `env`: where buildah keeps images. */
export async function makeBaseImages(directory: string, env: NodeJS.ProcessEnv): Promise<BaseImages> {
  const packages = join(directory, 'packages');
  mkdirSync(packages, { recursive: true });
  await downloadPackages(packages);
  const runtime = join(directory, 'runtime');
  const build = join(directory, 'build');
  await Promise.all([unpack(packages, RUNTIME_PACKAGES, runtime), unpack(packages, [...RUNTIME_PACKAGES, ...BUILD_PACKAGES], build)]);
  const node = nodeBinary();
  cpSync(node, join(runtime, 'nodejs', 'bin', 'node'));
  cpSync(node, join(build, 'usr', 'local', 'bin', 'node'));
  await unpackNpm(directory, build);
  const names = { build: 'localhost/node-build:e2e', runtime: 'localhost/node-runtime:e2e' };
  await commit(runtime, names.runtime, '', env);
  // A registry behind a proxy with a certificate of its own is reached from inside as it is from here.
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  cpSync(certificates, join(build, certificates), { dereference: true });
  await commit(build, names.build, `ENV NODE_EXTRA_CA_CERTS=${certificates}\n`, env);
  return names;
}

async function downloadPackages(directory: string): Promise<void> {
  const download = async () =>
    output('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...RUNTIME_PACKAGES, ...BUILD_PACKAGES], { cwd: directory });
  try {
    await download();
  } catch {
    // The lists may be older than what the mirror still has.
    await output('apt-get', ['-qq', 'update']);
    await download();
  }
}

async function unpack(packages: string, names: readonly string[], root: string): Promise<void> {
  mkdirSync(root, { recursive: true });
  for (const file of readdirSync(packages)) {
    if (names.includes(file.slice(0, file.indexOf('_')))) await output('dpkg-deb', ['--extract', join(packages, file), root]);
  }
}

function nodeBinary(): string {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  return createRequire(import.meta.url).resolve(`node-linux-${architecture}/bin/node`);
}

async function unpackNpm(directory: string, root: string): Promise<void> {
  await output('npm', ['pack', `npm@${NPM_VERSION}`, '--silent', '--pack-destination', directory]);
  const modules = join(root, 'usr', 'local', 'lib', 'node_modules', 'npm');
  mkdirSync(modules, { recursive: true });
  await output('tar', ['-xzf', join(directory, `npm-${NPM_VERSION}.tgz`), '--strip-components=1', '-C', modules]);
  const command = join(root, 'usr', 'local', 'bin', 'npm');
  writeFileSync(command, '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n');
  chmodSync(command, 0o755);
}

async function commit(root: string, name: string, more: string, env: NodeJS.ProcessEnv): Promise<void> {
  const dockerfile = `${root}.Dockerfile`;
  writeFileSync(dockerfile, `FROM scratch\nCOPY . /\n${more}`);
  await output('buildah', ['bud', '--quiet', '--file', dockerfile, '--tag', name, root], { env });
}
