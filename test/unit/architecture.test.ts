import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cyclesOf, crowdedFolders, sharedPrefixes, unusedAllowances, violations } from '../helpers/architecture.ts';
import { readSource } from '../helpers/imports.ts';
import { LAYERS, PURE_BELOW, SHELLS } from '../helpers/architecture-rules.ts';

/** As oxlint counts: without blank lines and lines that are comments. */
function lines(path: string): number {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(?:\/\/|\/?\*|#|$)/.test(line)).length;
}

function refused(path: string, text: string): string[] {
  return violations({ [path]: text });
}

const sourcePaths = globSync('src/**/*.ts').toSorted();
const sources = Object.fromEntries(sourcePaths.map((path) => [path, readFileSync(path, 'utf8')]));

describe('the layout', () => {
  it('should import only what the table allows', () => {
    expect(sourcePaths.length).toBeGreaterThan(10);
    expect(violations(sources)).toEqual([]);
  });

  it('should allow nothing that no file uses', () => {
    expect(unusedAllowances(sources)).toEqual([]);
  });

  it('should have no cycle of files, imports of types included', () => {
    expect(cyclesOf(sources)).toEqual([]);
  });

  it('should have at most 20 files in a folder', () => {
    expect(crowdedFolders(sourcePaths)).toEqual([]);
  });

  it('should have a folder where three files of one share a prefix', () => {
    expect(sharedPrefixes(sourcePaths)).toEqual([]);
  });

  it('should name no shell and no pure file that does not exist', () => {
    expect([...SHELLS, ...PURE_BELOW].filter((path) => !existsSync(path))).toEqual([]);
  });

  it('should be shown in docs/architecture.md, and each path of CONTRIBUTING.md should exist', () => {
    const architecture = readFileSync('docs/architecture.md', 'utf8');
    for (const layer of Object.keys(LAYERS)) expect(architecture, layer).toContain(`\`${layer}/\``);
    const named = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/`((?:src|test|docs|dashboards|charts|scripts)\/[^`* ]+)`/g)];
    expect(named.length).toBeGreaterThan(20);
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(path))).toEqual([]);
  });

  it('should give a sentence to every rule', () => {
    for (const { why } of Object.values(LAYERS)) expect(why).toMatch(/^[A-Za-z].{20,}\.$/);
  });

  it.each([
    [250, 'scripts and configuration', ['scripts/**/*.{ts,mjs,sh}', '.ci/*', '*.ts', 'test/**/*.sh']],
    [250, 'test helpers', ['test/helpers/**/*.ts']],
    [500, 'test suites, which are lists', ['test/**/*.test.ts']],
  ])('should keep files below %i lines: %s', (limit, _what, patterns) => {
    const tooLong = globSync(patterns).filter((path) => lines(path) > limit);
    expect(tooLong.map((path) => `${path}: ${lines(path)} lines`)).toEqual([]);
  });
});

describe('dynamic imports', () => {
  it('should be of our own modules: of a package the bundle may have another shape than the sources', () => {
    const paths = globSync('src/**/*.ts');
    const found = paths.filter((path) => /\bimport\('[^.]/.test(readFileSync(path, 'utf8')));
    expect(found).toEqual([]);
  });
});

describe('a crooked layout', () => {
  it('should be noticed: a cycle that types alone make', () => {
    const cycle = cyclesOf({
      'src/model/a.ts': "import type { B } from './b.ts';",
      'src/model/b.ts': "export type { A } from './a.ts';",
      'src/model/c.ts': "import './a.ts';",
    });
    expect(cycle).toEqual(['src/model/a.ts ↔ src/model/b.ts']);
  });

  it('should be noticed: an allowance that no import uses', () => {
    expect(unusedAllowances({ 'src/overlays/chain.ts': "import '../images/header.ts';" })).toContain(
      'overlays may import disk, and does not',
    );
  });

  it('should be noticed: three files with one prefix, and 21 files', () => {
    expect(sharedPrefixes(['src/scan/trash-a.ts', 'src/scan/trash-b.ts', 'src/scan/trash.ts'])).toEqual(['src/scan/trash-*']);
    expect(crowdedFolders(Array.from({ length: 21 }, (_, index) => `src/model/f${index}.ts`))).toEqual(['src/model: 21 files']);
  });
});

describe('unit tests', () => {
  const exempt = new Map([
    ['test/unit/architecture.test.ts', 'it reads the sources that it judges'],
    ['test/unit/agent/agent.test.ts', 'it watches the agent sleep and wake by real timers of some milliseconds'],
  ]);
  const outside = /^node:(?:fs|net|http|https|http2|dgram|child_process|worker_threads|timers)/;

  it('should touch no disk, network or clock', () => {
    const paths = globSync('test/unit/**/*.ts').filter((path) => !exempt.has(path));
    const found = paths.flatMap((path) => {
      const { specifiers, globals } = readSource(path, readFileSync(path, 'utf8'));
      const faked = globals.has('vi.useFakeTimers');
      const clock = faked ? [] : ['Date.now', 'new Date()', 'setTimeout', 'fetch'].filter((name) => globals.has(name));
      return [...specifiers.filter((specifier) => outside.test(specifier)), ...clock].map((what) => `${path}: ${what}`);
    });
    expect(found).toEqual([]);
  });
});

describe('a forbidden import', () => {
  it.each([
    ['a stage that imports another stage', 'src/plan/rules.ts', "import { scan } from '../scan/base-dir.ts';"],
    ['the model importing anything', 'src/model/plan.ts', "import { VERSION } from '../lib/version.ts';"],
    ['an import of a type alone', 'src/model/plan.ts', "import type { Config } from '../config/schema.ts';"],
    ['a type named in place', 'src/model/plan.ts', "export type Config = import('../config/schema.ts').Config;"],
    ['a re-export', 'src/model/plan.ts', "export * from '../lib/errors.ts';"],
    ['an import at run time', 'src/pass/pass.ts', "await import('../execute/executor.ts');"],
    ['a require', 'src/pass/pass.ts', "require('../execute/executor.ts');"],
    ['a pass that names an adapter', 'src/pass/pass.ts', "import { executor } from '../execute/executor.ts';"],
    ['a file of a layer of which only another one is allowed', 'src/agent/agent.ts', "import { client } from '../kube/client/client.ts';"],
    ['an adapter that reaches for the composition root', 'src/scan/base-scanner.ts', "import '../wire/commands.ts';"],
    ['a pure file that imports the logger', 'src/plan/rules.ts', "import '../lib/logger.ts';"],
    ['a pure file that reads the disk', 'src/plan/rules.ts', "import { statSync } from 'node:fs';"],
    ['a pure file that opens a socket', 'src/config/mistakes/rules.ts', "import { isIP, connect } from 'node:net';"],
    ['a pure file that reads the clock', 'src/plan/rules.ts', 'export const now = Date.now();'],
    ['a pure file that makes a date of now', 'src/plan/rules.ts', 'export const now = new Date();'],
    ['a pure file that reads the environment', 'src/plan/rules.ts', "export const debug = process.env['DEBUG'];"],
    ['a library behind another layer’s door', 'src/agent/agent.ts', "import { KubeConfig } from '@kubernetes/client-node';"],
    ['an end of the process elsewhere than in main', 'src/agent/agent.ts', 'process.exit(1);'],
    ['a pure file that imports a shell of its own stage', 'src/report/log.ts', "import './publish.ts';"],
    ['a new directory that the table does not know', 'src/util/strings.ts', 'export const a = 1;'],
  ])('should be refused: %s', (_title, path, text) => {
    expect(refused(path, text).join('\n')).toMatch(new RegExp(`^${path} .+[:.] `));
  });

  it.each([
    ['a date made of a number', 'src/plan/rules.ts', 'export const at = new Date(5);'],
    ['the one harmless part of a builtin', 'src/config/mistakes/rules.ts', "import { isIP } from 'node:net';"],
    ['own stage and model', 'src/plan/rules.ts', "import './facts.ts'; import type { Plan } from '../model/plan.ts';"],
    [
      'an import that a comment or a string only mentions',
      'src/plan/rules.ts',
      "// import '../scan/a.ts'\nexport const a = \"import '../scan/a.ts'\";",
    ],
  ])('should not be seen in %s', (_title, path, text) => {
    expect(refused(path, text)).toEqual([]);
  });
});
