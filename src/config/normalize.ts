import { posix } from 'node:path';
import type { Policy } from '../model/policy.ts';
import type { ParsedSettings } from './schema.ts';
import type { Config, ExemptPod, LabelSelector, Schedule } from './types.ts';

const DEFAULT_INTERVAL_SECONDS = 2400;
const DEFAULT_JITTER_SECONDS = 300;

/** As OpenStack-Helm labels the pods behind which its VMs run: once libvirt itself is asked, their mount of the instances path tells nothing more. */
const HYPERVISOR_PODS: readonly ExemptPod[] = [
  { selector: { matchLabels: { application: 'nova', component: 'compute' }, matchExpressions: [] } },
  { selector: { matchLabels: { application: 'libvirt' }, matchExpressions: [] } },
];

/** Fills in the defaults that depend on other keys. Pure; `nodeName` is '' where nobody gave one (rules.ts says when that is a mistake). */
export function normalize(settings: ParsedSettings): Config {
  const instancesPath = tidyPath(settings.instancesPath);
  return {
    preset: settings.preset,
    mode: settings.mode,
    nodeName: settings.nodeName ?? '',
    instancesPath,
    hostInstancesPath: tidyPath(settings.hostInstancesPath ?? instancesPath),
    subdirectoryName: settings.subdirectoryName,
    basePath: posix.join(instancesPath, settings.subdirectoryName),
    locksPath: tidyPath(settings.locksPath ?? posix.join(instancesPath, 'locks')),
    schedule: scheduleOf(settings),
    passDeadlineSeconds: settings.passDeadlineSeconds,
    policy: policyOf(settings),
    sources: {
      pods: { enabled: settings.sources.pods.enabled, selector: selectorOf(settings.sources.pods.selector) },
      virtualMachineInstances: { enabled: settings.sources.virtualMachineInstances.enabled },
      file: settings.sources.file === undefined ? undefined : { path: tidyPath(settings.sources.file.path) },
      libvirt: libvirtOf(settings.sources.libvirt),
    },
    exemptPods: [
      ...settings.exemptPods.map((pod): ExemptPod => ({ namespace: pod.namespace, selector: selectorOf(pod.selector) })),
      ...(settings.sources.libvirt.enabled ? HYPERVISOR_PODS : []),
    ],
    annotations: settings.annotations,
    events: settings.events,
    heartbeatSeconds: settings.heartbeatSeconds,
    http: settings.http,
    log: settings.log,
  };
}

function policyOf(settings: ParsedSettings): Policy {
  return {
    preset: settings.preset,
    naming: settings.naming,
    overlays: settings.overlays,
    removeUnusedBaseImages: settings.removeUnusedBaseImages,
    originalMinimumAgeSeconds: settings.removeUnusedOriginalMinimumAgeSeconds,
    resizedMinimumAgeSeconds: settings.removeUnusedResizedMinimumAgeSeconds,
    minimumAgeFloorSeconds: settings.minimumAgeFloorSeconds,
    maxRemovalsPerPass: settings.maxRemovalsPerPass,
    touchBackingFiles: settings.touchBackingFiles,
    removeLockFiles: settings.removeLockFiles,
    allowEmptyInventory: settings.allowEmptyInventory,
    liveUseCheck: settings.liveUseCheck,
    lockTimeoutSeconds: settings.lockTimeoutSeconds,
    pins: settings.pins,
  };
}

function scheduleOf(settings: ParsedSettings): Schedule {
  if (settings.schedule !== undefined) {
    return {
      kind: 'cron',
      expression: settings.schedule,
      timeZone: settings.timeZone ?? 'UTC',
      jitterSeconds: settings.jitterSeconds ?? DEFAULT_JITTER_SECONDS,
    };
  }
  const intervalSeconds = settings.intervalSeconds ?? DEFAULT_INTERVAL_SECONDS;
  return { kind: 'interval', intervalSeconds, jitterSeconds: settings.jitterSeconds ?? Math.min(DEFAULT_JITTER_SECONDS, intervalSeconds) };
}

function libvirtOf({ enabled, statusPath, definitionsPath }: ParsedSettings['sources']['libvirt']): Config['sources']['libvirt'] {
  return enabled ? { statusPath: tidyPath(statusPath), definitionsPath: tidyPath(definitionsPath) } : undefined;
}

type GivenSelector = ParsedSettings['sources']['pods']['selector'];

function selectorOf(given: GivenSelector): LabelSelector | undefined {
  if (given === undefined) return undefined;
  return {
    matchLabels: given.matchLabels ?? {},
    matchExpressions: (given.matchExpressions ?? []).map(({ key, operator, values }) => ({ key, operator, values: values ?? [] })),
  };
}

function tidyPath(path: string): string {
  const normalized = posix.normalize(path);
  return normalized.length > 1 && normalized.endsWith('/') ? normalized.slice(0, -1) : normalized;
}
