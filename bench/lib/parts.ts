/** What a pass works with, as the command line would wire it. */
import { loadConfig } from '../../src/config/load.ts';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import type { PassParts } from '../../src/pass/pass.ts';
import type { Clock } from '../../src/model/ports.ts';
import { createFileSource } from '../../src/sources/file/source.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { passParts } from '../../src/wire/pass.ts';

export function benchParts(
  instancesPath: string,
  workloadsPath: string,
  settings: SettingsInput = {},
  clock: Clock = systemClock,
): PassParts {
  const values: SettingsInput = { nodeName: 'bench', instancesPath, maxRemovalsPerPass: 0, ...settings };
  const { config, errors } = loadConfig({ overrides: [{ origin: 'bench', values }] });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  return passParts(config, [createFileSource({ path: workloadsPath, clock })], clock);
}
