import { loadConfig } from '../../src/config/load.ts';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import type { Report } from '../../src/model/report.ts';
import { createPass } from '../../src/wire/pass.ts';
import type { Tree } from './tree.ts';

/** One pass over a tree as the command line runs it, without a cluster: the workloads are read from a file. */
export async function passOnTree(
  { instancesPath }: Tree,
  { workloads, settings, dryRun }: { readonly workloads: string; readonly settings: SettingsInput; readonly dryRun: boolean },
): Promise<Report> {
  const off = { enabled: false };
  const sources = { pods: off, virtualMachineInstances: off, file: { path: workloads } };
  const { config, errors } = loadConfig({
    overrides: [{ origin: 'test', values: { nodeName: 'node-1', instancesPath, sources, maxRemovalsPerPass: 0, ...settings } }],
  });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  const wired = await createPass(config);
  try {
    return await wired.runPass({ dryRun });
  } finally {
    await wired.close();
  }
}
