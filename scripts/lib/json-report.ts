import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** One thing that was checked, and why it failed. */
export interface Check {
  readonly name: string;
  readonly failure: string | undefined;
}

/** Writes `.test-results/<name>.json` in the shape of vitest's JSON report, which `scripts/count-results.mjs` adds up. */
export function writeJsonReport(name: string, script: string, checks: readonly Check[]): void {
  const path = `.test-results/${name}.json`;
  const assertionResults = checks.map((check) => ({
    fullName: check.name,
    status: check.failure === undefined ? 'passed' : 'failed',
    failureMessages: check.failure === undefined ? [] : [check.failure],
  }));
  const status = checks.every(({ failure }) => failure === undefined) ? 'passed' : 'failed';
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ testResults: [{ name: script, status, assertionResults }] }, undefined, 1)}\n`);
}
