/**
 * Bundles the command line into one file.
 *   build.ts                        dist/basekeeper.js and dist/kubectl-basekeeper.js, for npm: the native lock module stays in node_modules, which has it for every platform
 *   build.ts --image DIR --arch A   DIR/basekeeper.mjs and, beside it, the lock module's binary for linux on A (amd64 or arm64, as OCI says):
 *                                   all that a container image needs besides Node.js
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };

/** Of client-node we use KubeConfig alone, and every module of it has side effects for the bundler: without this the bundle carries every API class. */
const onlyKubeConfig: Plugin = {
  name: 'only-kube-config',
  setup(builder) {
    builder.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: `${root}node_modules/@kubernetes/client-node/dist/config.js`,
      sideEffects: false,
    }));
  },
};

/** What KubeConfig imports for requests that client-node itself would send. We take credentials from it and send requests by our own client: half of the bundle. */
const NEVER_CALLED: Readonly<Record<string, readonly string[]>> = {
  undici: ['Agent', 'ProxyAgent'],
  './gen/index.js': ['createConfiguration', 'ServerConfiguration'],
};

const withoutClientNodeRequests: Plugin = {
  name: 'without-client-node-requests',
  setup(builder) {
    builder.onResolve({ filter: /^(?:undici|\.\/gen\/index\.js)$/ }, ({ path, importer }) =>
      importer.endsWith('client-node/dist/config.js') ? { path, namespace: 'never-called' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'never-called' }, ({ path }) => ({
      contents: (NEVER_CALLED[path] ?? [])
        .map((name) => `export class ${name} { constructor() { throw new Error('${name} of ${path} is not in this bundle'); } }`)
        .join('\n'),
      loader: 'js',
    }));
  },
};

const NODE_ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' };

/** Loads the one binary that lies beside the bundle, where the package's own loader would look through its prebuilt ones for all platforms. */
function lockModuleBesideBundle(architecture: string): Plugin {
  const node = NODE_ARCHITECTURES[architecture];
  if (node === undefined) throw new Error(`--arch must be ${Object.keys(NODE_ARCHITECTURES).join(' or ')}, not ${architecture}`);
  const binary = `${root}node_modules/fs-native-extensions/prebuilds/linux-${node}/fs-native-extensions.node`;
  return {
    name: 'lock-module-beside-bundle',
    setup(builder) {
      builder.onLoad({ filter: /fs-native-extensions[/\\]binding\.js$/ }, () => ({
        contents: `module.exports = require(${JSON.stringify(binary)});`,
        loader: 'js',
        resolveDir: root,
      }));
    },
  };
}

const { values } = parseArgs({ options: { image: { type: 'string' }, arch: { type: 'string', default: 'amd64' } } });
const outdir = values.image ?? `${root}dist`;
// Beside the image's bundle there is no package.json that says that it is a module.
const extension = values.image === undefined ? '.js' : '.mjs';

// Each file appears by a rename: whoever runs the bundle while it is built anew gets the old one or the new one, never a half.
mkdirSync(outdir, { recursive: true });
const fresh = mkdtempSync(`${outdir}/.build-`);
await build({
  entryPoints: [
    { in: `${root}src/main.ts`, out: 'basekeeper' },
    ...(values.image === undefined ? [{ in: `${root}src/kubectl.ts`, out: 'kubectl-basekeeper' }] : []),
  ],
  outdir: fresh,
  outExtension: { '.js': extension },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
  define: { __BASEKEEPER_VERSION__: JSON.stringify(version) },
  loader: { '.node': 'copy' },
  assetNames: '[name]',
  ...(values.image === undefined
    ? { external: ['fs-native-extensions'], plugins: [onlyKubeConfig, withoutClientNodeRequests] }
    : { plugins: [onlyKubeConfig, withoutClientNodeRequests, lockModuleBesideBundle(values.arch)] }),
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
for (const name of readdirSync(fresh)) {
  if (name.endsWith(extension)) chmodSync(`${fresh}/${name}`, 0o755);
  renameSync(`${fresh}/${name}`, `${outdir}/${name}`);
}
rmSync(fresh, { recursive: true });

/** Why each file is in an image beside Node.js itself; a file without a reason does not get there. */
const REASONS: Readonly<Record<string, string>> = {
  'basekeeper.mjs': 'the program and its libraries in one file; not minified, so that a stack trace names functions',
  'basekeeper.mjs.LEGAL.txt': 'the licences of those libraries',
  'fs-native-extensions.node': 'record locks that exclude those of Nova and QEMU; Node.js has none',
};
if (values.image !== undefined) {
  for (const name of readdirSync(outdir)) {
    const reason = REASONS[name];
    if (reason === undefined) throw new Error(`${name} is in the image for no reason that scripts/build.ts knows`);
    console.log(`${String(statSync(`${outdir}/${name}`).size).padStart(9)} bytes  ${name}: ${reason}`);
  }
}
