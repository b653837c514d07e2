import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { violations } from '../helpers/architecture.ts';
import { readSource } from '../helpers/imports.ts';
import { LAYERS, SHELLS } from '../helpers/architecture-rules.ts';

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

  it('should name no shell that does not exist', () => {
    expect(SHELLS.filter((path) => !existsSync(path))).toEqual([]);
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

describe('unit tests', () => {
  const exempt = new Map([
    ['test/unit/architecture.test.ts', 'it reads the sources that it judges'],
    ['test/unit/agent.test.ts', 'it watches the agent sleep and wake by real timers of some milliseconds'],
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
    ['an import at run time', 'src/cycle.ts', "await import('./execute/executor.ts');"],
    ['a require', 'src/cycle.ts', "require('./execute/executor.ts');"],
    ['a pass that names an adapter', 'src/cycle.ts', "import { executor } from './execute/executor.ts';"],
    ['a file of a layer of which only another one is allowed', 'src/agent.ts', "import { client } from './kube/client.ts';"],
    ['an adapter that reaches for the composition root', 'src/scan/base-dir.ts', "import '../wire.ts';"],
    ['a pure file that imports the logger', 'src/plan/rules.ts', "import '../lib/logger.ts';"],
    ['a pure file that reads the disk', 'src/plan/rules.ts', "import { statSync } from 'node:fs';"],
    ['a pure file that opens a socket', 'src/config/rules.ts', "import { isIP, connect } from 'node:net';"],
    ['a pure file that reads the clock', 'src/plan/rules.ts', 'export const now = Date.now();'],
    ['a pure file that makes a date of now', 'src/plan/rules.ts', 'export const now = new Date();'],
    ['a pure file that reads the environment', 'src/plan/rules.ts', "export const debug = process.env['DEBUG'];"],
    ['a library behind another layer’s door', 'src/agent.ts', "import { KubeConfig } from '@kubernetes/client-node';"],
    ['an end of the process elsewhere than in main', 'src/agent.ts', 'process.exit(1);'],
    ['a new directory that the table does not know', 'src/util/strings.ts', 'export const a = 1;'],
  ])('should be refused: %s', (_title, path, text) => {
    expect(refused(path, text).join('\n')).toMatch(new RegExp(`^${path} .+[:.] `));
  });

  it.each([
    ['a date made of a number', 'src/plan/rules.ts', 'export const at = new Date(5);'],
    ['the one harmless part of a builtin', 'src/config/rules.ts', "import { isIP } from 'node:net';"],
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
