import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const commands = [...readFileSync('README.md', 'utf8').matchAll(/^```sh\n([^]*?)^```/gm)]
  .flatMap(([, block = '']) => block.trim().split('\n'))
  .map((line) => line.replace(/\s+#.*$/, ''));

/** Run in whole by .ci/run and by demo.test.ts: running them from here would run this test from itself. */
const RUN_ELSEWHERE = ['npm ci && npm run demo', 'npm cit'];

let instancesPath: string;
beforeEach(() => {
  instancesPath = mkdtempSync(join(tmpdir(), 'basekeeper-readme-'));
  mkdirSync(join(instancesPath, '_base'));
  writeFileSync(join(instancesPath, '_base', '0d5e6b61602d758984b3bf038267614d6016eb2a'), 'base');
});
afterEach(() => {
  rmSync(instancesPath, { recursive: true });
});

describe('the README', () => {
  it('should begin with what it is, for whom, and two commands, on one screen', () => {
    expect(commands.slice(0, 2)).toEqual(RUN_ELSEWHERE);
    expect(readFileSync('README.md', 'utf8').split('\n').length).toBeLessThan(60);
  });

  it.each(commands.filter((command) => !RUN_ELSEWHERE.includes(command)))('should name a command that works: %s', (command) => {
    const line = command.replaceAll('/var/lib/nova/instances', instancesPath);
    const output = execFileSync('sh', ['-c', line], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: instancesPath },
    });
    expect(output).toMatch(/Usage: basekeeper|ReferencedByWorkload/);
    expect(readdirSync(join(instancesPath, '_base'))).toEqual(['0d5e6b61602d758984b3bf038267614d6016eb2a']);
  });
});
