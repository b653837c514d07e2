import { spawnSync } from 'node:child_process';
import { mkdtempDisposableSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundleBytes } from '../../../bench/rows/bundle.ts';
import { buildTree } from '../../../bench/lib/tree.ts';
import { withoutBuiltinImports } from '../../../scripts/lib/bundle/builtin-imports.ts';

const BUNDLE = 'dist/basekeeper.js';
const TELL_BUILTINS = 'data:text/javascript,process.on("exit",()=>console.error(process.moduleLoadList.join("\\n")))';

it('should keep the bundle below 2.5 MB', () => {
  const inEntry = statSync('dist/basekeeper.js').size + statSync('dist/basekeeper-main.js').size;
  const others = readdirSync('dist').filter((name) => /^(?:chunk|lazy)-.*js$/.test(name));
  expect(bundleBytes('dist')).toBe(others.reduce((bytes, name) => bytes + statSync(join('dist', name)).size, inEntry));
  expect(bundleBytes('dist')).toBeLessThanOrEqual(2.5e6);
});

it('should load neither undici nor a library that a plan has no use for', () => {
  using root = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-guard-'));
  const tree = buildTree(root.path, { files: 50, vms: 5 });
  const opened = join(root.path, 'strace');
  const plan = ['plan', '--instances-path', tree.instancesPath, '--workloads', tree.workloadsPath];
  const node = [process.execPath, '--import', TELL_BUILTINS, BUNDLE, ...plan];
  const { status, stderr } = spawnSync('strace', ['-f', '-e', 'trace=openat', '-o', opened, ...node], {
    encoding: 'utf8',
    env: { ...process.env, NODE_NAME: 'node-a' },
  });
  expect(status).toBe(0);
  expect(stderr).toContain('NativeModule fs\n');
  expect(stderr).not.toContain('undici');
  // Each is memory in every agent, and time in every command.
  for (const name of ['assert', 'child_process', 'cluster', 'dgram', 'vm', 'worker_threads', 'zlib'])
    expect(stderr).not.toContain(`NativeModule ${name}\n`);
  const files = [...readFileSync(opened, 'utf8').matchAll(/\/dist\/([^/"]+)"/g)].map(([, name = '']) => name);
  expect(files).toContain('basekeeper.js');
  expect(files.filter((name) => name.startsWith('lazy-'))).toEqual([]);
  expect(files.length).toBeLessThanOrEqual(14);
});

it('should keep libraries out of what every command reads', () => {
  using root = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-guard-'));
  const opened = join(root.path, 'strace');
  spawnSync('strace', ['-f', '-e', 'trace=openat', '-o', opened, process.execPath, BUNDLE, 'version']);
  const files = [...readFileSync(opened, 'utf8').matchAll(/\/dist\/([^/"]+\.js)"/g)].map(([, name = '']) => name);
  expect(files).toContain('basekeeper-main.js');
  expect(files.reduce((bytes, name) => bytes + statSync(join('dist', name)).size, 0)).toBeLessThanOrEqual(230_000);
});

it('should have no part that asks for modules of Node.js which no run needs', () => {
  const parts = readdirSync('dist').filter((name) => /^(?:basekeeper-main|chunk-.*)\.js$/.test(name));
  expect(parts.length).toBeGreaterThan(10);
  const text = parts.map((name) => readFileSync(join('dist', name), 'utf8')).join('\n');
  expect(text).toContain('require("perf_hooks")');
  expect(text).not.toMatch(/require\("(?:node:)?(?:assert|child_process|cluster|vm|worker_threads|zlib)"\)/);
});

it('should keep the text of its large parts at one byte a character', () => {
  const large = readdirSync('dist').filter(
    (name) => /^(?:basekeeper-main|chunk-.*)\.js$/.test(name) && statSync(join('dist', name)).size > 30_000,
  );
  expect(large.length).toBeGreaterThan(3);
  // V8 keeps a text as long as it may compile from it, with two bytes for each character if one is outside of Latin-1.
  for (const name of large) expect(/[\u0100-\uffff]/.exec(readFileSync(join('dist', name), 'utf8'))?.[0], name).toBeUndefined();
});

it('should take the modules of Node.js without importing them', () => {
  const taken = withoutBuiltinImports(
    'import a from "node:fs";\nimport b, { c as d, e } from "node:http";\nimport * as f from "path";\nimport "./x.js";\nuse(a);\n',
  );
  expect(taken).toBe(
    [
      'const a = globalThis.process.getBuiltinModule("node:fs");',
      'const b = globalThis.process.getBuiltinModule("node:http");',
      'const { c: d, e } = globalThis.process.getBuiltinModule("node:http");',
      'const f = globalThis.process.getBuiltinModule("path");',
      'import "./x.js";\nuse(a);\n',
    ].join('\n'),
  );
  expect(readFileSync('dist/basekeeper-main.js', 'utf8')).not.toMatch(/^import .*"node:/m);
});
