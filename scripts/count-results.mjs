// count-results.mjs DIRECTORY NAME=EXIT_STATUS...: sums vitest's JSON reports DIRECTORY/NAME.json into the line "N passed, N failed".
// Whatever is not proven to have passed counts as failed: a report that is missing or broken, a skipped test, a run that failed with no failed
// test to show for it. Plain JavaScript without packages: it must still count where an old Node.js runs and "npm ci" has failed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory = '.test-results', ...runs] = process.argv.slice(2);
let passed = 0;
let failed = 0;

function fail(count, why) {
  failed += count;
  console.log(`  ${why}`);
}

/** Adds up one report; returns how many failures it shows. */
function add(name, report) {
  const before = failed;
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else fail(1, `${test.status}: ${name}: ${file.name}: ${test.fullName}`);
    }
    if (file.status !== 'passed' && file.assertionResults.every(({ status }) => status === 'passed'))
      fail(1, `failed: ${name}: ${file.name} as a whole`);
  }
  if (report.testResults.length === 0) fail(1, `failed: ${name} ran no test`);
  return failed - before;
}

for (const run of runs) {
  const [name, status] = run.split('=');
  const path = join(directory, `${name}.json`);
  try {
    const shown = existsSync(path) ? add(name, JSON.parse(readFileSync(path, 'utf8'))) : 0;
    if (!existsSync(path)) fail(1, `failed: ${name} left no report at ${path}; it ended with ${status}`);
    else if (status !== '0' && shown === 0) fail(1, `failed: ${name} ended with ${status}, though no test failed`);
  } catch (error) {
    fail(1, `failed: the report ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
if (passed === 0 && failed === 0) fail(1, 'failed: nothing ran');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
