import { posix } from 'node:path';
import type { LabelSelector } from '../model/label-selector.ts';
import { LEDGER_DIRECTORY } from '../model/ledger/records.ts';
import type { Policy, Schedule } from '../model/policy.ts';
import type { ExemptPod, WorkloadRule } from '../model/workload-rule.ts';
import { pagesPortAfter } from './default-port.ts';
import type { ParsedSettings } from './schema/schema.ts';
import type { Config } from './types.ts';
import { bytesOfQuantity } from './quantity.ts';
import { nameNode, withNodeName } from './mistakes/workload-rules.ts';

const DEFAULT_INTERVAL_SECONDS = 2400;
const DEFAULT_JITTER_SECONDS = 300;

/** As OpenStack-Helm labels the pods behind which its VMs run: once libvirt itself is asked, their mount of the instances path means nothing more. */
const HYPERVISOR_PODS: readonly ExemptPod[] = [
  { selector: { matchLabels: { application: 'nova', component: 'compute' }, matchExpressions: [] } },
  { selector: { matchLabels: { application: 'libvirt' }, matchExpressions: [] } },
  { selector: { matchLabels: { application: 'ceilometer', component: 'compute' }, matchExpressions: [] } },
];

/** Settings without a gap: what `config show` prints. Reading them again gives the same configuration. */
export type CompleteSettings = ParsedSettings & {
  readonly nodeName: string;
  readonly hostInstancesPath: string;
  readonly locksPath: string;
  readonly jitterSeconds: number;
  readonly http: ParsedSettings['http'] & { readonly pagesPort: number };
};

/** Fills in the defaults that depend on other keys. Pure; `nodeName` is '' where nobody gave one (rules.ts says when that is a mistake). */
export function complete(settings: ParsedSettings): CompleteSettings {
  const instancesPath = tidyPath(settings.instancesPath);
  const { schedule, intervalSeconds = DEFAULT_INTERVAL_SECONDS } = settings;
  const longestJitterSeconds = schedule === undefined ? Math.min(DEFAULT_JITTER_SECONDS, intervalSeconds) : DEFAULT_JITTER_SECONDS;
  return {
    ...settings,
    nodeName: settings.nodeName ?? '',
    instancesPath,
    hostInstancesPath: tidyPath(settings.hostInstancesPath ?? instancesPath),
    locksPath: tidyPath(settings.locksPath ?? posix.join(instancesPath, 'locks')),
    ...(schedule === undefined ? { intervalSeconds } : { timeZone: settings.timeZone ?? 'UTC' }),
    jitterSeconds: settings.jitterSeconds ?? longestJitterSeconds,
    http: { ...settings.http, pagesPort: settings.http.pagesPort ?? pagesPortAfter(settings.http.port) },
  };
}

/** Complete settings as the rest of the program wants them. */
export function toConfig(settings: CompleteSettings): Config {
  const rules = rulesOf(settings);
  return {
    preset: settings.preset,
    mode: settings.mode,
    nodeName: settings.nodeName,
    instancesPath: settings.instancesPath,
    hostInstancesPath: settings.hostInstancesPath,
    subdirectoryName: settings.subdirectoryName,
    basePath: posix.join(settings.instancesPath, settings.subdirectoryName),
    locksPath: settings.locksPath,
    schedule: scheduleOf(settings),
    passDeadlineSeconds: settings.passDeadlineSeconds,
    policy: policyOf(settings),
    sources: {
      pods: { ...settings.sources.pods, selector: selectorOf(settings.sources.pods.selector) },
      virtualMachineInstances: { enabled: settings.sources.virtualMachineInstances.enabled },
      rules,
      file: fileOf(settings),
      libvirt: libvirtOf(settings.sources.libvirt),
    },
    ledger: ledgerOf(settings),
    verify: settings.verify,
    pinConfigMaps: settings.pins.configMaps.enabled,
    exemptPods: [
      ...settings.exemptPods.map((pod): ExemptPod => ({ namespace: pod.namespace, selector: selectorOf(pod.selector) })),
      ...(settings.sources.libvirt.enabled ? HYPERVISOR_PODS : []),
      ...podsOfRules(rules),
    ],
    knownAgents: knownAgentsOf(settings),
    ...sharingOf(settings),
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
    forceRawImages: settings.forceRawImages,
    ignore: settings.ignore,
    touchBackingFiles: settings.touchBackingFiles,
    removeLockFiles: settings.removeLockFiles,
    allowEmptyInventory: settings.allowEmptyInventory,
    liveUseCheck: settings.liveUseCheck,
    lockTimeoutSeconds: settings.lockTimeoutSeconds,
    pins: pinPolicyOf(settings.pins),
    trash: settings.trash,
    ...(settings.pressure.enabled ? { pressure: thresholdsOf(settings.pressure) } : {}),
    ...budgetOf(settings.budget),
  };
}

function pinPolicyOf({ imageRefs, fileNames, wantedImages }: ParsedSettings['pins']): Policy['pins'] {
  const wanted = wantedImages.length === 0 ? {} : { wanted: wantedImages };
  return { imageRefs: [...imageRefs, ...wantedImages], fileNames, ...wanted };
}

function thresholdsOf({ highThresholdPercent, lowThresholdPercent }: ParsedSettings['pressure']): Policy['pressure'] {
  return { highThresholdPercent, lowThresholdPercent };
}

function budgetOf({ maxBytes, maxPercentOfFilesystem, lowPercentOfMax }: ParsedSettings['budget']): Pick<Policy, 'budget'> {
  if (maxBytes !== undefined) return { budget: { maxBytes: bytesOfQuantity(maxBytes), lowPercentOfMax } };
  return maxPercentOfFilesystem === undefined ? {} : { budget: { maxPercentOfFilesystem, lowPercentOfMax } };
}

function scheduleOf({ schedule, timeZone, intervalSeconds, jitterSeconds }: CompleteSettings): Schedule {
  return schedule === undefined
    ? { kind: 'interval', intervalSeconds: intervalSeconds ?? DEFAULT_INTERVAL_SECONDS, jitterSeconds }
    : { kind: 'cron', expression: schedule, timeZone: timeZone ?? 'UTC', jitterSeconds };
}

function sharingOf(settings: CompleteSettings): Pick<Config, 'sharedStorage' | 'undeclared'> {
  const { enabled, alone, hostName, hostTimeoutSeconds } = settings.sharedStorage;
  if (enabled) return { sharedStorage: sharedStorageOf(settings) };
  return alone ? {} : { undeclared: { hostName: nameNode(hostName, settings.nodeName), hostTimeoutSeconds } };
}

function sharedStorageOf({ nodeName, sharedStorage }: CompleteSettings): Config['sharedStorage'] {
  const { hostName: hostNamePattern, hostTimeoutSeconds, settleSeconds, staleHosts, ignoredHosts } = sharedStorage;
  return { hostName: nameNode(hostNamePattern, nodeName), hostNamePattern, hostTimeoutSeconds, settleSeconds, staleHosts, ignoredHosts };
}

/** A single pass may run where nobody gave the node a name. */
const NAMELESS = 'host';

function ledgerOf({ ledger, locksPath, sharedStorage, nodeName }: CompleteSettings): Config['ledger'] {
  const { enabled, directory = posix.join(locksPath, LEDGER_DIRECTORY), maxBytes, maxAgeDays } = ledger;
  const host = nameNode(sharedStorage.hostName, nodeName === '' ? NAMELESS : nodeName);
  return { enabled, directory: tidyPath(directory), host, maxBytes, maxAgeDays };
}

/** With the preset of Nova no floor and no empty inventory holds what half a list would lose, so the file must say that it is whole. */
function fileOf({ preset, sources: { file } }: ParsedSettings): Config['sources']['file'] {
  if (file === undefined) return undefined;
  const { path, requireComplete = preset === 'nova', maximumAgeSeconds } = file;
  return { path: tidyPath(path), required: requireComplete, maximumAgeSeconds };
}

function libvirtOf({ enabled, statusPath, definitionsPath }: ParsedSettings['sources']['libvirt']): Config['sources']['libvirt'] {
  return enabled ? { statusPath: tidyPath(statusPath), definitionsPath: tidyPath(definitionsPath) } : undefined;
}

function rulesOf({ nodeName, sources }: CompleteSettings): readonly WorkloadRule[] {
  return sources.rules.map((rule) => ({
    ...rule,
    selector: selectorOf(withNodeName(rule.selector, nodeName)),
    fieldSelector: rule.fieldSelector === undefined ? undefined : nameNode(rule.fieldSelector, nodeName),
  }));
}

/** Pods that a rule reads as VMs are not pods that nobody can place. Which others a field selector leaves out, only the API server knows. */
function podsOfRules(rules: readonly WorkloadRule[]): readonly ExemptPod[] {
  const ofPods = rules.filter(
    ({ apiVersion, kind, fieldSelector = '' }) => apiVersion === 'v1' && kind === 'Pod' && ONLY_NODE.test(fieldSelector),
  );
  return ofPods.map(({ namespace, selector }) => ({ namespace, selector }));
}
const ONLY_NODE = /^(spec\.nodeName==?[^,]*)?$/;

function knownAgentsOf({ knownAgents }: ParsedSettings): Config['knownAgents'] {
  return knownAgents.map((agent) => ({ ...agent, selector: labelsOf(agent.selector), hostPaths: agent.hostPaths.map(tidyPath) }));
}

type GivenSelector = ParsedSettings['sources']['pods']['selector'];

function selectorOf(given: GivenSelector): LabelSelector | undefined {
  return given === undefined ? undefined : labelsOf(given);
}

function labelsOf(given: NonNullable<GivenSelector>): LabelSelector {
  return {
    matchLabels: given.matchLabels ?? {},
    matchExpressions: (given.matchExpressions ?? []).map(({ key, operator, values }) => ({ key, operator, values: values ?? [] })),
  };
}

function tidyPath(path: string): string {
  const normalized = posix.normalize(path);
  return normalized.length > 1 && normalized.endsWith('/') ? normalized.slice(0, -1) : normalized;
}
