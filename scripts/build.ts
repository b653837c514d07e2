/**
 * Bundles the command line into one file.
 *   build.ts                        dist/basekeeper.js, for npm: the native lock module stays in node_modules, which has it for every platform
 *   build.ts --image DIR --arch A   DIR/basekeeper.mjs and, beside it, the lock module's binary for linux on A (amd64 or arm64, as OCI says):
 *                                   all that a container image needs besides Node.js
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };

/** client-node does not say that it has no side effects; without this the bundle carries every API class. */
const pureClientNode: Plugin = {
  name: 'pure-client-node',
  setup(builder) {
    builder.onResolve({ filter: /^@kubernetes\/client-node/ }, async (args) => {
      if (args.pluginData === 'resolved') return undefined;
      const result = await builder.resolve(args.path, {
        kind: args.kind,
        resolveDir: args.resolveDir,
        importer: args.importer,
        pluginData: 'resolved',
      });
      return { ...result, sideEffects: false };
    });
    builder.onLoad({ filter: /@kubernetes\/client-node\/dist\/index\.js$/ }, (args) => ({
      contents: readFileSync(args.path, 'utf8'),
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
  entryPoints: [{ in: `${root}src/main.ts`, out: 'basekeeper' }],
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
    ? { external: ['fs-native-extensions'], plugins: [pureClientNode] }
    : { plugins: [pureClientNode, lockModuleBesideBundle(values.arch)] }),
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
chmodSync(`${fresh}/basekeeper${extension}`, 0o755);
for (const name of readdirSync(fresh)) renameSync(`${fresh}/${name}`, `${outdir}/${name}`);
rmSync(fresh, { recursive: true });
