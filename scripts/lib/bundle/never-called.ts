/** Parts of libraries that no run of ours needs: left out, or read at the first call. Each is memory in every agent (docs/performance.md). */
import type { Plugin } from 'esbuild';

interface NeverCalled {
  /** The importing file. */
  readonly importer: RegExp;
  /** Classes and functions that the importer takes by name; `default`: the module is one itself. */
  readonly names: readonly string[];
}

const NEVER_CALLED: Readonly<Record<string, NeverCalled>> = {
  // What KubeConfig imports for requests that client-node itself would send. We take credentials from it and send requests by our own client: half of the bundle.
  undici: { importer: /client-node[/\\]dist[/\\]config\.js$/, names: ['Agent', 'ProxyAgent'] },
  socks: { importer: /client-node[/\\]dist[/\\]config\.js$/, names: ['SocksClient'] },
  './gen/index.js': { importer: /client-node[/\\]dist[/\\]config\.js$/, names: ['createConfiguration', 'ServerConfiguration'] },
  // Logs in threads of their own: `node:worker_threads` and `node:assert`.
  './transport': { importer: /pino[/\\]lib[/\\]tools\.js$/, names: ['default'] },
  './lib/transport': { importer: /pino[/\\]pino\.js$/, names: ['default'] },
  // Metrics that are pushed (`node:zlib`), those of several processes (`node:cluster`, `node:dgram`), and quantiles.
  './lib/pushgateway': { importer: /prom-client[/\\]index\.js$/, names: ['default'] },
  './lib/cluster': { importer: /prom-client[/\\]index\.js$/, names: ['default'] },
  './lib/summary': { importer: /prom-client[/\\]index\.js$/, names: ['default'] },
};

/** Modules of Node.js that a library wants at once and needs hardly ever. */
const AT_FIRST_CALL: Readonly<Record<string, readonly string[]>> = {
  'node:child_process': ['spawn', 'spawnSync', 'execSync', 'execFileSync'],
};

const SMALL_ASSERT = 'module.exports = (holds, message) => { if (!holds) throw new Error(message); };';

export const withoutNeverCalled: Plugin = {
  name: 'without-never-called',
  setup(builder) {
    builder.onResolve(
      { filter: /^(?:undici|socks|\.\/gen\/index\.js|\.\/(?:lib\/)?(?:transport|pushgateway|cluster|summary))$/ },
      (wanted) =>
        NEVER_CALLED[wanted.path]?.importer.test(wanted.importer) === true ? { path: wanted.path, namespace: 'never-called' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'never-called' }, ({ path }) => ({ contents: refusals(path), loader: 'js' }));
    builder.onResolve({ filter: /^worker_threads$/ }, ({ path, importer }) =>
      /pino[/\\]lib[/\\]tools\.js$/.test(importer) ? { path, namespace: 'main-thread' } : undefined,
    );
    // This program has no other threads that log.
    builder.onLoad({ filter: /.*/, namespace: 'main-thread' }, () => ({ contents: 'export const isMainThread = true;', loader: 'js' }));
    builder.onResolve({ filter: /^assert$/ }, ({ path, importer }) =>
      /sonic-boom[/\\]index\.js$/.test(importer) ? { path, namespace: 'small-assert' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'small-assert' }, () => ({ contents: SMALL_ASSERT, loader: 'js' }));
    builder.onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      /[/\\]node_modules[/\\]/.test(importer)
        ? // One for each package, so that it becomes no part of its own.
          { path, suffix: `?${importer.includes('commander')}`, namespace: 'at-first-call' }
        : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'at-first-call' }, ({ path }) => ({ contents: callers(path), loader: 'js' }));
  },
};

function refusals(path: string): string {
  const names = NEVER_CALLED[path]?.names ?? [];
  const refusal = (name: string): string =>
    `class ${name} { constructor() { throw new Error(${JSON.stringify(`${name} of ${path} is not in this bundle`)}); } }`;
  if (names.includes('default')) return `module.exports = ${refusal('Absent')};`;
  return names.map((name) => `export ${refusal(name)}`).join('\n');
}

function callers(path: string): string {
  const module = `globalThis.process.getBuiltinModule(${JSON.stringify(path)})`;
  const members = (AT_FIRST_CALL[path] ?? []).map((name) => `${name}: (...args) => ${module}.${name}(...args)`);
  return `export default { ${members.join(', ')} };`;
}
