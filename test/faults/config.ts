import { loadConfig } from '../../src/config/load.ts';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import type { Config } from '../../src/config/types.ts';

/** A node without a cluster, whose workloads a file lists. */
export function configOf(
  { instancesPath, workloadsPath }: { readonly instancesPath: string; readonly workloadsPath: string },
  settings: SettingsInput = {},
): Config {
  const off = { enabled: false };
  const sources = { pods: off, virtualMachineInstances: off, file: { path: workloadsPath } };
  const values: SettingsInput = {
    nodeName: 'node-a',
    instancesPath,
    sources,
    annotations: false,
    events: false,
    maxRemovalsPerPass: 0,
    ...settings,
  };
  const { config, errors } = loadConfig({ overrides: [{ origin: 'test', values }] });
  if (config === undefined) throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join('; '));
  return config;
}
