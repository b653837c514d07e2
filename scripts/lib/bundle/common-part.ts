import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Small modules that many parts of the program share. For each set of parts that share one, the bundler makes a file: some twenty more to find,
 * read and link in every command. They become one file instead, because every part is said to need all of them. None of them takes a library along.
 */
const COMMON = [
  'cli/exit-codes',
  'cli/io',
  'cli/output',
  'config/default-port',
  'config/source-kinds',
  'disk/entry-name',
  'disk/mount-table',
  'disk/read-small-file',
  'lib/by-key',
  'lib/clock',
  'lib/errors',
  'lib/image-reference',
  'lib/json',
  'lib/or-aborted',
  'lib/patterns/anchored-pattern',
  'lib/patterns/file-glob',
  'lib/patterns/json-path',
  'lib/patterns/watched-object',
  'lib/pieces',
  'lib/rows',
  'lib/sleep',
  'lib/slices',
  'lib/text',
  'lib/timestamp',
  'lib/timing',
  'lib/version',
  'lib/yaml/document',
  'model/ledger/records',
  'model/names',
  'model/reasons',
  'model/trash-names',
  'report/outcome',
  'report/terminal/cells',
  'report/terminal/layout',
  'report/terminal/plan/json',
  'report/trash',
  'sources/workload-fields',
];

/** Parts that run only where other parts are there already: what both need then is in the file of those, and not in one more. */
const AFTER: Readonly<Record<string, readonly string[]>> = {
  'cli/agent-report': ['config/load'],
  'config/schema/schema': ['config/load'],
  'config/show': ['config/load'],
  'execute/trash/restore': ['config/load', 'wire/pass'],
  'ledger/ledger': ['config/load', 'wire/pass'],
  'wire/agent': ['config/load'],
  'wire/commands': ['config/load'],
  'wire/shared-storage': ['config/load', 'wire/pass'],
};

const DYNAMIC_IMPORT = /\bimport\('(\.[^']+\.ts)'\)/g;

/** @param entry the program's own, absolute; its other parts are what some module imports when it runs. */
export function commonPart(root: string, entry: string): Plugin {
  const source = join(root, 'src');
  const parts = new Set([entry, ...partsIn(source)]);
  const importsFor = (part: string): string =>
    [...COMMON, ...(AFTER[relative(source, part).replace(/\.ts$/, '')] ?? [])]
      .map((name) => `import ${JSON.stringify(join(source, `${name}.ts`))};`)
      .join('\n');
  return {
    name: 'common-part',
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) =>
        parts.has(path) ? { contents: `${readFileSync(path, 'utf8')}\n${importsFor(path)}`, loader: 'ts' } : undefined,
      );
    },
  };
}

function partsIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const path = join(directory, name);
      return [...readFileSync(path, 'utf8').matchAll(DYNAMIC_IMPORT)].map(([, target = '']) => join(dirname(path), target));
    });
}
