import pLimit from 'p-limit';
import { createApiPresence } from '../../kube/discovery/api-presence.ts';
import { KubeApiError } from '../../kube/errors.ts';
import { createReflector } from '../../kube/watch/reflector.ts';
import type { Reflector, WatchSettings } from '../../kube/watch/options.ts';
import { asArray, field } from '../../lib/json.ts';
import type { WorkloadSource } from '../../model/ports.ts';
import type { SourceReading } from '../../model/workload.ts';
import { normalizeHostPath } from '../host-paths.ts';
import type { Launcher } from '../pods/map-pod.ts';
import { VMI_SOURCE, mapVmi, type VmiRecord } from './map-vmi.ts';
import { VmiMemory } from './memory.ts';
import { worstOf } from '../status.ts';

const GROUP = 'kubevirt.io';
const VERSION = 'v1';
const RESOURCE = 'virtualmachineinstances';
/** VMIs looked up by name at the same time. */
const LOOKUPS_AT_ONCE = 8;

/** How virt-launcher pods find their VMI. */
export interface VmiLookup {
  /** Undefined when no watch and no lookup has shown it. */
  find(uid: string): VmiRecord | undefined;
  /** True when the VMI source itself reports it. */
  isReported(uid: string): boolean;
  /** Reads by name, with quorum, those that no watch of this node shows. Never throws: what cannot be found stays as it was. */
  refresh(launchers: readonly Launcher[], signal: AbortSignal | undefined): Promise<void>;
}

export interface VmiSourceOptions extends WatchSettings {
  /** Of one node, or of several; at least one. */
  readonly nodeName: string | readonly string[];
  /** As on the host. */
  readonly instancesPath: string;
}

/** VMIs whose label `kubevirt.io/nodeName` or `kubevirt.io/migrationTargetNodeName` is this node: two watches, as virt-handler has them. */
export function createVmiSource(options: VmiSourceOptions): WorkloadSource & VmiLookup {
  return new VmiSource(options);
}

class VmiSource implements WorkloadSource, VmiLookup {
  readonly name = VMI_SOURCE;
  readonly #options: VmiSourceOptions;
  readonly #instancesPath: string;
  readonly #memory = new VmiMemory();
  readonly #byTarget: Reflector<VmiRecord>;
  readonly #byNode: Reflector<VmiRecord>;
  #listing = 0;

  constructor(options: VmiSourceOptions) {
    this.#options = options;
    this.#instancesPath = normalizeHostPath(options.instancesPath) ?? options.instancesPath;
    const { client } = options;
    const presence = createApiPresence({ client, group: GROUP, version: VERSION, resource: RESOURCE, now: () => this.#nowMs() });
    const reflector = (label: string, mayMoveOn: boolean): Reflector<VmiRecord> =>
      createReflector({
        ...options,
        path: `/apis/${GROUP}/${VERSION}/${RESOURCE}`,
        query: { labelSelector: labelIs(label, options.nodeName) },
        select: (vmi) => mapVmi(vmi, this.#instancesPath),
        presence,
        onRemoved: (record, by) => this.#memory.remember(record, this.#nowMs(), mayMoveOn && (by === 'watch' || this.#listing === 0)),
      });
    this.#byTarget = reflector('kubevirt.io/migrationTargetNodeName', true);
    this.#byNode = reflector('kubevirt.io/nodeName', false);
  }

  start(): void {
    this.#byTarget.start();
    this.#byNode.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#byTarget.stop(), this.#byNode.stop()]);
  }

  async read({ consistent, signal }: { consistent: boolean; signal?: AbortSignal | undefined }): Promise<SourceReading> {
    if (consistent) await this.#listConsistent(signal);
    const records = [...this.#shown().values()];
    return {
      status: { name: VMI_SOURCE, ...worstOf([this.#byTarget.status(), this.#byNode.status()]) },
      workloads: records.map(({ workload }) => workload),
      gaps: records.flatMap(({ gaps }) => gaps),
    };
  }

  find(uid: string): VmiRecord | undefined {
    return this.#byNode.get(uid) ?? this.#byTarget.get(uid) ?? this.#memory.find(uid);
  }

  isReported(uid: string): boolean {
    return this.#shown().has(uid);
  }

  async refresh(launchers: readonly Launcher[], signal: AbortSignal | undefined): Promise<void> {
    this.#memory.retain(new Set(launchers.map(({ vmiUid }) => vmiUid)), this.#nowMs());
    const watched = ({ vmiUid }: Launcher): boolean => this.#byNode.get(vmiUid) !== undefined || this.#byTarget.get(vmiUid) !== undefined;
    const missing = launchers.filter((launcher) => !watched(launcher));
    await pLimit(LOOKUPS_AT_ONCE).map(missing, async (launcher) => await this.#lookUp(launcher, signal));
  }

  /** Target label first: a migration sets it, flips nodeName, and only then takes it away, so one of the two lists has the VMI. */
  async #listConsistent(signal: AbortSignal | undefined): Promise<void> {
    const startedMs = this.#nowMs();
    this.#listing += 1;
    try {
      if ((await this.#byTarget.listConsistent(signal)) && (await this.#byNode.listConsistent(signal))) this.#memory.settle(startedMs);
    } finally {
      this.#listing -= 1;
    }
  }

  /** A list of one: that needs no right but those that the watches need. */
  async #lookUp({ pod, vmiName }: Launcher, signal: AbortSignal | undefined): Promise<void> {
    if (vmiName === undefined || pod.namespace === undefined) return;
    const path = `/apis/${GROUP}/${VERSION}/namespaces/${encodeURIComponent(pod.namespace)}/${RESOURCE}`;
    const query = { fieldSelector: `metadata.name=${vmiName}` };
    try {
      const list = await this.#options.client.request({ method: 'GET', path, query, signal });
      const records = (asArray(field(list, 'items')) ?? []).map((vmi) => mapVmi(vmi, this.#instancesPath));
      // One with another UID was recreated under the name, and is found under its own UID only.
      for (const record of records) this.#memory.update(record, this.#nowMs());
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
    }
  }

  #shown(): ReadonlyMap<string, VmiRecord> {
    const records = [...this.#memory.lingering(this.#nowMs()), ...this.#byTarget.items(), ...this.#byNode.items()];
    return new Map(records.map((record) => [record.uid, record]));
  }

  #nowMs(): number {
    return this.#options.clock.now().monotonicMs;
  }
}

function labelIs(label: string, values: string | readonly string[]): string {
  return typeof values === 'string' ? `${label}=${values}` : `${label} in (${values.join(',')})`;
}
