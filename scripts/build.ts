/** Bundles the command line into dist/basekeeper.js: one file plus the native lock module that stays outside. */
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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

mkdirSync(`${root}dist`, { recursive: true });
await build({
  entryPoints: [`${root}src/main.ts`],
  outfile: `${root}dist/basekeeper.js`,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
  define: { __BASEKEEPER_VERSION__: JSON.stringify(version) },
  external: ['fs-native-extensions'],
  plugins: [pureClientNode],
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
chmodSync(`${root}dist/basekeeper.js`, 0o755);
