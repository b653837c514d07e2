import { Document, isMap, isPair, isScalar, type YAMLMap } from 'yaml';
import type { Policy } from '../model/policy.ts';
import type { Path } from './document.ts';
import type { SettingsInput } from './schema.ts';
import type { Config, LabelSelector } from './types.ts';

/** A checked configuration as the file that says all of it. Reading that file again gives the same configuration. */
export function settingsOf(config: Config): SettingsInput {
  const { policy, schedule, sources } = config;
  return {
    preset: config.preset,
    mode: config.mode,
    nodeName: config.nodeName,
    instancesPath: config.instancesPath,
    hostInstancesPath: config.hostInstancesPath,
    subdirectoryName: config.subdirectoryName,
    locksPath: config.locksPath,
    ...(schedule.kind === 'cron'
      ? { schedule: schedule.expression, timeZone: schedule.timeZone }
      : { intervalSeconds: schedule.intervalSeconds }),
    jitterSeconds: schedule.jitterSeconds,
    passDeadlineSeconds: config.passDeadlineSeconds,
    ...policySettings(policy),
    sources: {
      pods: { enabled: sources.pods.enabled, ...selectorEntry(sources.pods.selector) },
      virtualMachineInstances: { enabled: sources.virtualMachineInstances.enabled },
      ...(sources.file === undefined ? {} : { file: { path: sources.file.path } }),
    },
    exemptPods: config.exemptPods.map(({ namespace, selector }) => ({
      ...(namespace === undefined ? {} : { namespace }),
      ...selectorEntry(selector),
    })),
    annotations: config.annotations,
    events: config.events,
    heartbeatSeconds: config.heartbeatSeconds,
    http: config.http,
    log: config.log,
  };
}

function policySettings(policy: Policy): SettingsInput {
  return {
    removeUnusedBaseImages: policy.removeUnusedBaseImages,
    removeUnusedOriginalMinimumAgeSeconds: policy.originalMinimumAgeSeconds,
    removeUnusedResizedMinimumAgeSeconds: policy.resizedMinimumAgeSeconds,
    minimumAgeFloorSeconds: policy.minimumAgeFloorSeconds,
    maxRemovalsPerPass: policy.maxRemovalsPerPass,
    lockTimeoutSeconds: policy.lockTimeoutSeconds,
    naming: policy.naming,
    overlays: policy.overlays,
    touchBackingFiles: policy.touchBackingFiles,
    removeLockFiles: policy.removeLockFiles,
    allowEmptyInventory: policy.allowEmptyInventory,
    liveUseCheck: policy.liveUseCheck,
    pins: { imageRefs: [...policy.pins.imageRefs], fileNames: [...policy.pins.fileNames] },
  };
}

function selectorEntry(
  selector: LabelSelector | undefined,
): Pick<NonNullable<NonNullable<SettingsInput['exemptPods']>[number]>, 'selector'> {
  if (selector === undefined) return {};
  const { matchLabels, matchExpressions } = selector;
  return {
    selector: {
      ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
      ...(matchExpressions.length === 0
        ? {}
        : {
            matchExpressions: matchExpressions.map(({ key, operator, values }) => ({
              key,
              operator,
              ...(values.length === 0 ? {} : { values: [...values] }),
            })),
          }),
    },
  };
}

/** The configuration as JSON text. */
export function settingsJson(config: Config): string {
  return `${JSON.stringify(settingsOf(config), null, 2)}\n`;
}

/** The configuration as YAML text; each value that is no default has a comment that says where it comes from. */
export function settingsYaml(config: Config, originOf: (path: Path) => string | undefined): string {
  const document = new Document(settingsOf(config));
  if (isMap(document.contents)) comment(document.contents, [], originOf);
  return document.toString({ lineWidth: 0 });
}

function comment(section: YAMLMap, path: Path, originOf: (path: Path) => string | undefined): void {
  for (const pair of section.items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue;
    const at = [...path, String(pair.key.value)];
    if (isMap(pair.value) && at.length < 3) comment(pair.value, at, originOf);
    const origin = originOf(at);
    if (isScalar(pair.value) && origin !== undefined) pair.value.comment = ` ${origin}`;
  }
}
