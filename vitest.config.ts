import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeout: number, globalSetup: string[] = []) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: 120_000, globalSetup },
});

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // .ci/run counts from the JSON report: what a terminal shows is for people.
    reporters: ['default', ['json', { outputFile: `.test-results/${process.env['TEST_REPORT'] ?? 'vitest'}.json` }]],
    // Limits for what hangs, not for what is slow: a machine with two busy cores takes ten times as long.
    projects: [
      project('unit', 60_000),
      project('contract', 60_000),
      project('integration', 180_000, ['test/helpers/build-bundle.ts']),
      project('parity', 300_000),
      project('races', 300_000),
      project('hostile', 300_000),
      project('soundness', 600_000, ['test/helpers/build-bundle.ts']),
      project('faults', 300_000, ['test/helpers/build-bundle.ts']),
    ],
  },
});
