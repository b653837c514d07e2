import type { Config } from '../config/types.ts';
import type { Report } from '../model/plan.ts';
import type { Context } from './context.ts';
import { showProgress } from './progress.ts';

/** Runs one pass and shows its progress. */
export async function runOnePass(config: Config, { io, wiring }: Context, dryRun: boolean): Promise<Report> {
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
