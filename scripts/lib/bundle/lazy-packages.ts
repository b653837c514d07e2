import type { Plugin } from 'esbuild';

/**
 * Packages that most runs never use, each a file of its own that is read when one of these exports is: a cron expression, a rule's pattern or path,
 * libvirt's files, YAML, a name that is not ASCII, a kubeconfig that is a file or names an identity provider, a proxy. `default` is a function.
 */
export const LAZY_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'cli-truncate': ['default'],
  cron: ['CronTime'],
  hpagent: ['HttpProxyAgent', 'HttpsProxyAgent'],
  'js-yaml': ['load', 'dump'],
  'jsonpath-plus': ['JSONPath'],
  'json-p3': ['JSONPathEnvironment', 'JSONPathError'],
  'openid-client': ['customFetch', 'discovery', 'refreshTokenGrant'],
  re2js: ['RE2JS', 'RE2JSException'],
  saxes: ['SaxesParser'],
  'socks-proxy-agent': ['SocksProxyAgent'],
  'string-width': ['default'],
  yaml: ['Document', 'LineCounter', 'Scalar', 'isMap', 'isNode', 'isPair', 'isScalar', 'parseAllDocuments', 'parseDocument', 'visit'],
};

export const lazyPackages: Plugin = {
  name: 'lazy-packages',
  setup(builder) {
    builder.onResolve({ filter: /^[a-z]/ }, ({ path, kind }) =>
      kind === 'import-statement' && path in LAZY_PACKAGES ? { path, namespace: 'lazy' } : undefined,
    );
    builder.onResolve({ filter: /^\.\/lazy-/ }, ({ path }) => ({ path, external: true }));
    builder.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({ contents: stub(path), loader: 'js' }));
  },
};

function stub(name: string): string {
  const names = LAZY_PACKAGES[name] ?? [];
  const load = `require("./lazy-${name}.cjs")`;
  if (names.includes('default')) return `module.exports = (...args) => { const m = ${load}; return (m.default ?? m)(...args); };`;
  return `module.exports = { ${names.map((it) => `get ${it}() { return ${load}.${it}; }`).join(', ')} };`;
}
