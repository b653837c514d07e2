import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'basekeeper-count-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function report(name: string, statuses: readonly string[], fileStatus = 'passed'): void {
  const assertionResults = statuses.map((status, index) => ({ status, fullName: `test ${index}` }));
  writeFileSync(
    join(directory, `${name}.json`),
    JSON.stringify({ testResults: [{ name: 'a.test.ts', status: fileStatus, assertionResults }] }),
  );
}

function count(...runs: readonly string[]): { lastLine: string | undefined; status: number | null } {
  const { stdout, status } = spawnSync(process.execPath, ['scripts/count-results.mjs', directory, ...runs], { encoding: 'utf8' });
  return { lastLine: stdout.trimEnd().split('\n').at(-1), status };
}

describe('the closing line of a run', () => {
  it('should add up the reports of all runs', () => {
    report('vitest', ['passed', 'passed']);
    report('e2e', ['passed']);
    expect(count('vitest=0', 'e2e=0')).toEqual({ lastLine: '3 passed, 0 failed', status: 0 });
  });

  it('should count a failed test once and end non-zero', () => {
    report('vitest', ['passed', 'failed'], 'failed');
    expect(count('vitest=1')).toEqual({ lastLine: '1 passed, 1 failed', status: 1 });
  });

  it.each(['skipped', 'pending', 'todo'])('should count a test that is %s as failed, because nothing is skipped silently', (status) => {
    report('vitest', ['passed', status]);
    expect(count('vitest=0')).toEqual({ lastLine: '1 passed, 1 failed', status: 1 });
  });

  it('should count a run that left no report as failed', () => {
    report('vitest', ['passed']);
    expect(count('vitest=0', 'e2e=0')).toEqual({ lastLine: '1 passed, 1 failed', status: 1 });
  });

  it('should count a report that is cut off as failed', () => {
    writeFileSync(join(directory, 'vitest.json'), '{"testResults": [');
    expect(count('vitest=0')).toEqual({ lastLine: '0 passed, 1 failed', status: 1 });
  });

  it('should count a file that could not even be loaded as failed', () => {
    report('vitest', [], 'failed');
    expect(count('vitest=1')).toEqual({ lastLine: '0 passed, 1 failed', status: 1 });
  });

  it('should count a run that failed outside its tests as failed', () => {
    report('vitest', ['passed']);
    expect(count('vitest=1')).toEqual({ lastLine: '1 passed, 1 failed', status: 1 });
  });

  it('should count what a script checked by itself, such as the soak', () => {
    const checks = [{ name: 'no file in use is lost' }, { name: 'memory is flat', failure: '90 MiB at first, 200 MiB at last' }];
    const script = `import { writeJsonReport } from ${JSON.stringify(new URL('../../scripts/lib/json-report.ts', import.meta.url).href)};
      writeJsonReport('soak', 'scripts/soak.ts', ${JSON.stringify(checks)});`;
    spawnSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: directory });
    renameSync(join(directory, '.test-results/soak.json'), join(directory, 'soak.json'));
    expect(count('soak=1')).toEqual({ lastLine: '1 passed, 1 failed', status: 1 });
  });

  it('should fail when nothing ran at all', () => {
    expect(count()).toEqual({ lastLine: '0 passed, 1 failed', status: 1 });
  });
});
