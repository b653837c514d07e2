import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeout: number) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: 120_000 },
});

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: '.test-results/vitest.json' }]] : ['default'],
    projects: [project('unit', 10_000), project('contract', 20_000), project('integration', 60_000), project('parity', 300_000)],
  },
});
