import { existsSync } from 'node:fs';
import type { Config } from '../config/types.ts';
import { UsageError } from '../lib/errors.ts';
import type { Report } from '../model/report.ts';
import type { Context } from './context.ts';
import { say } from './io.ts';
import { showProgress } from './progress.ts';

/**
 * Runs one pass and shows its progress.
 *
 * @throws `UsageError` when a workloads file that is the only source cannot be used: that is not a held pass, but a wrong option.
 */
export async function runOnePass(config: Config, context: Context, dryRun: boolean): Promise<Report> {
  const report = await runWithProgress(config, context, dryRun);
  const [only, ...others] = report.sources;
  if (config.sources.file !== undefined && only?.state === 'failed' && others.length === 0) {
    throw new UsageError(`cannot use the ${only.message ?? 'workloads file'}; check --workloads`);
  }
  // A pass takes this quietly, as Nova does; a person who mistyped a path wants to know.
  if (report.files.length === 0 && report.result !== 'Failed' && !existsSync(config.basePath)) {
    say(context.io.stderr, `basekeeper: ${config.basePath} does not exist, so there is nothing to do; check --instances-path`);
  }
  return report;
}

async function runWithProgress(config: Config, { io, wiring }: Context, dryRun: boolean): Promise<Report> {
  const progress = showProgress(io.stderr);
  try {
    const parts = await wiring();
    const pass = await parts.createPass(config);
    try {
      return await pass.runPass({ dryRun, signal: io.signal, onStage: (stage) => progress.stage(stage) });
    } finally {
      await pass.close();
    }
  } finally {
    progress.stop();
  }
}
