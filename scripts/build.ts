/**
 * Bundles the command line: an entry, chunks that are read when a command needs them, and packages that are read when one of their functions is called.
 *   build.ts                        dist/basekeeper.js and dist/kubectl-basekeeper.js, for npm: the native lock module stays in node_modules, which has it for every platform;
 *                                   the plugin is one file, because people copy it to a directory of their PATH
 *   build.ts --image DIR --arch A   DIR/basekeeper.mjs and, beside it, the lock module's binary for linux on A (amd64 or arm64, as OCI says):
 *                                   all that a container image needs besides Node.js
 *   build.ts ... --inventory FILE   also writes the list of packages that are in the bundle
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
import { withoutBuiltinImports } from './lib/bundle/builtin-imports.ts';
import { commonPart } from './lib/bundle/common-part.ts';
import { bundledPackages, notices } from './lib/bundle/inventory.ts';
import { LAZY_PACKAGES, lazyPackages } from './lib/bundle/lazy-packages.ts';
import { lockModuleBesideBundle, lockModuleOfPackage } from './lib/bundle/lock-module.ts';
import { withoutNeverCalled } from './lib/bundle/never-called.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const MINIMUM_NODE = 24;
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

/** prom-client takes it along for exemplars of its own process metrics, which we do not ask for. */
const withoutOpenTelemetry: Plugin = {
  name: 'without-open-telemetry',
  setup(builder) {
    builder.onResolve({ filter: /^@opentelemetry\/api$/ }, ({ path }) => ({ path, namespace: 'empty' }));
    builder.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: '', loader: 'js' }));
  },
};

const { values } = parseArgs({
  options: { image: { type: 'string' }, arch: { type: 'string', default: 'amd64' }, inventory: { type: 'string' } },
});
const outdir = values.image ?? `${root}dist`;
// Beside the image's bundle there is no package.json that says that it is a module.
const extension = values.image === undefined ? '.js' : '.mjs';
const REQUIRE = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);";

// Each file appears by a rename, what others import first: anyone who runs the bundle while it is built again gets the old one or the new one, never a half.
mkdirSync(outdir, { recursive: true });
const fresh = mkdtempSync(`${outdir}/.build-`);
const shared: BuildOptions = {
  // Paths in comments are the same wherever the project lies and wherever this runs.
  absWorkingDir: root,
  outdir: fresh,
  bundle: true,
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
};
const plugins = [onlyKubeConfig, withoutNeverCalled, withoutOpenTelemetry];
/** Plain JavaScript that any Node.js parses: an old one says so in one sentence, where it would stumble over syntax or a missing function. */
const refusal = (name: string): string =>
  `if (Number(process.versions.node.split('.')[0]) < ${MINIMUM_NODE}) {\n` +
  `  console.error('${name} needs Node.js ${MINIMUM_NODE} or newer, but ' + process.execPath + ' is ' + process.version + '; install a newer one, or put it first in PATH');\n` +
  '  process.exit(2);\n}';
const program: BuildOptions = {
  ...shared,
  outExtension: { '.js': extension },
  format: 'esm',
  define: { __BASEKEEPER_VERSION__: JSON.stringify(version) },
  banner: { js: REQUIRE },
};
const metafiles: Metafile[] = [];
async function bundle(options: BuildOptions): Promise<Metafile> {
  const { metafile } = await build({ ...options, metafile: true });
  metafiles.push(metafile);
  return metafile;
}
const main = `${root}src/bin/basekeeper.ts`;
await bundle({
  ...program,
  entryPoints: [{ in: main, out: values.image === undefined ? 'basekeeper-main' : 'basekeeper' }],
  splitting: true,
  chunkNames: 'chunk-[hash]',
  loader: { '.node': 'copy' },
  assetNames: '[name]',
  plugins: [
    lazyPackages,
    commonPart(root, main),
    ...plugins,
    values.image === undefined ? lockModuleOfPackage(root) : lockModuleBesideBundle(root, values.arch),
  ],
});
if (values.image === undefined) {
  await bundle({
    ...program,
    entryPoints: [{ in: `${root}src/bin/kubectl-basekeeper.ts`, out: 'kubectl-basekeeper' }],
    plugins,
    // People copy it to a place without a package.json and without a suffix: it must be right as a module and as CommonJS.
    format: 'iife',
    target: 'node18',
    banner: {
      js: `${refusal('kubectl-basekeeper')}\nvar require = process.getBuiltinModule('node:module').createRequire(process.argv[1]);`,
    },
  });
  writeFileSync(`${fresh}/basekeeper.js`, `${refusal('basekeeper')}\nawait import('./basekeeper-main.js');\n`);
}
const late = await bundle({
  ...shared,
  entryPoints: Object.keys(LAZY_PACKAGES),
  entryNames: 'lazy-[name]',
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  // Functions keep their names in a stack trace.
  minifyWhitespace: true,
});
// Without blanks, esbuild leaves out where its modules came from.
for (const [path, { inputs }] of Object.entries(late.outputs).filter(([it]) => it.endsWith('.cjs'))) {
  const modules = Object.keys(inputs).map((name) => `// ${name}\n`);
  writeFileSync(`${root}${path}`, modules.join('') + readFileSync(`${root}${path}`, 'utf8'));
}
const packages = bundledPackages(root, metafiles);
writeFileSync(`${fresh}/NOTICES.txt`, notices(root, packages));
if (values.inventory !== undefined) writeFileSync(values.inventory, `${JSON.stringify(packages, undefined, 2)}\n`);

const entries = [`basekeeper${extension}`, `kubectl-basekeeper${extension}`];
const isOurs = (name: string): boolean =>
  /^(?:chunk|lazy|basekeeper-main)[-.]/.test(name) || entries.some((entry) => name.startsWith(entry));
const built = readdirSync(fresh);
for (const name of built.filter((it) => it.endsWith(extension))) {
  const text = withoutBuiltinImports(readFileSync(`${fresh}/${name}`, 'utf8'));
  writeFileSync(`${fresh}/${name}`, entries.includes(name) ? `#!/usr/bin/env node\n${text}` : text);
}
for (const name of built.toSorted((left, right) => Number(entries.includes(left)) - Number(entries.includes(right)))) {
  // The same bits whatever the umask is, because they are bytes of the image's layer.
  chmodSync(`${fresh}/${name}`, entries.includes(name) ? 0o755 : 0o644);
  renameSync(`${fresh}/${name}`, `${outdir}/${name}`);
}
for (const name of readdirSync(outdir)) if (isOurs(name) && !built.includes(name)) rmSync(`${outdir}/${name}`);
rmSync(fresh, { recursive: true });
if (values.image !== undefined) chmodSync(outdir, 0o755);

/** Why each file is in an image beside Node.js itself; a file without a reason does not get there. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^basekeeper\.mjs$/, 'the program; not minified, so that a stack trace names functions'],
  [/^chunk-[A-Z0-9]+\.mjs$/, 'a part of the program that only some commands read'],
  [/^lazy-[a-z0-9-]+\.cjs$/, 'a library that is read when it is needed'],
  [/\.LEGAL\.txt$/, 'the licences of the libraries in the file'],
  [/^NOTICES\.txt$/, 'the licences and notices of all packages in the bundle'],
  [/^fs-native-extensions\.node$/, 'record locks that exclude those of Nova and QEMU; Node.js has none'],
];
if (values.image !== undefined) {
  for (const name of readdirSync(outdir)) {
    const reason = REASONS.find(([pattern]) => pattern.test(name))?.[1];
    if (reason === undefined) throw new Error(`${name} is in the image for no reason that scripts/build.ts knows`);
    console.log(`${String(statSync(`${outdir}/${name}`).size).padStart(9)} bytes  ${name}: ${reason}`);
  }
}
