import { KubeApiError } from '../kube/errors.ts';
import type { WatchSettings } from '../kube/watch/options.ts';
import { asArray, field } from '../lib/json.ts';
import { messageOf } from '../lib/errors.ts';
import type { WorkloadSource } from '../model/ports.ts';
import type { Gap, SourceReading, SourceStatus, Workload } from '../model/workload.ts';
import type { NodeEvidence } from './hosts.ts';
import { createPodSource } from '../sources/pods/source.ts';
import type { PodRules } from '../sources/pods/map-pod.ts';
import { createVmiSource, type VmiLookup } from '../sources/vmis/source.ts';

/** Each node costs the API server a watch of its own, and each agent on the directory watches the others. */
export const MAX_NODES = 16;

/** As labels have it, so KubeVirt has no VMIs on a node with a longer name. */
const LONGEST_LABEL_VALUE = 63;

const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface HostWatchesOptions extends WatchSettings {
  readonly instancesPath: string;
  /** Undefined: pods are not asked. */
  readonly pods?: Omit<PodRules, 'instancesPath' | 'resolveLaunchers'> | undefined;
  readonly vmis: boolean;
}

interface Watched {
  /** Undefined: the API server has not answered yet whether there is such a node. */
  known?: 'yes' | { readonly problem: string } | undefined;
  pods?: WorkloadSource;
}

/** What the API shows of other nodes. */
export interface NodesReading {
  /** Nodes that are not here are not watched. */
  readonly nodes: ReadonlyMap<string, NodeEvidence>;
  readonly statuses: readonly SourceStatus[];
  readonly workloads: readonly Workload[];
  readonly gaps: readonly Gap[];
  readonly notes: readonly string[];
}

/** Watches pods and VMIs of the nodes of other hosts: one watch for the pods of each node, two for the VMIs of all. */
export class HostWatches {
  readonly #options: HostWatchesOptions;
  readonly #nodes = new Map<string, Watched>();
  readonly #stopping = new AbortController();
  readonly #ending = new Set<Promise<unknown>>();
  #vmis: (WorkloadSource & VmiLookup) | undefined;
  #vmiNodes = '';

  constructor(options: HostWatchesOptions) {
    this.#options = options;
  }

  /** Starts and stops watches so that they are those of these nodes, or of the first of them. */
  follow(nodes: readonly string[]): void {
    if (this.#stopping.signal.aborted) return;
    const wanted = new Set(nodes.slice(0, MAX_NODES));
    for (const [node, { pods }] of this.#nodes) {
      if (wanted.has(node)) continue;
      this.#nodes.delete(node);
      if (pods !== undefined) this.#keep(pods.stop());
    }
    for (const node of wanted) {
      if (this.#nodes.has(node)) continue;
      this.#nodes.set(node, {});
      this.#keep(this.#lookUp(node, this.#stopping.signal));
    }
    this.#watchVmis();
  }

  /** One quorum list of everything that is watched, and of the nodes themselves. Never throws. */
  async listConsistent(signal: AbortSignal | undefined): Promise<void> {
    const joined = signal === undefined ? this.#stopping.signal : AbortSignal.any([signal, this.#stopping.signal]);
    await Promise.all([...this.#nodes.keys()].map(async (node) => await this.#lookUp(node, joined)));
    const sources = [this.#vmis, ...[...this.#nodes.values()].map(({ pods }) => pods)];
    await Promise.all(sources.map(async (source) => await source?.read({ consistent: true, signal })));
  }

  async read(): Promise<NodesReading> {
    const vmis = await this.#vmis?.read({ consistent: false });
    const readings = new Map<string, SourceReading | undefined>();
    for (const [node, { pods }] of this.#nodes) readings.set(node, await pods?.read({ consistent: false }));
    const all = [vmis, ...readings.values()].filter((reading) => reading !== undefined);
    return {
      nodes: new Map([...readings].map(([node, pods]) => [node, evidence(this.#nodes.get(node)?.known, [pods, vmis])])),
      statuses: all.map(({ status }) => status).filter(({ state }) => state === 'synced' || state === 'absent'),
      workloads: all.flatMap(({ workloads }) => workloads),
      gaps: all.flatMap(({ gaps }) => gaps),
      notes: all.flatMap(({ notes }) => notes ?? []),
    };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#nodes.values()].map(async ({ pods }) => await pods?.stop()));
    await this.#vmis?.stop();
    await Promise.all(this.#ending);
  }

  /** Asks whether there is such a node: that no pods are listed for a name means nothing otherwise. */
  async #lookUp(node: string, signal: AbortSignal): Promise<void> {
    const known = await this.#exists(node, signal);
    const watched = this.#nodes.get(node);
    if (watched === undefined || signal.aborted || this.#stopping.signal.aborted) return;
    watched.known = known;
    if (known !== 'yes') return;
    if (watched.pods === undefined && this.#options.pods !== undefined) {
      watched.pods = this.#podSource(node, this.#options.pods);
      watched.pods.start();
    }
    this.#watchVmis();
  }

  async #exists(node: string, signal: AbortSignal): Promise<Watched['known']> {
    const query = { fieldSelector: `metadata.name=${node}` };
    try {
      const list = await this.#options.client.request({ method: 'GET', path: '/api/v1/nodes', query, accept: METADATA_LIST, signal });
      return (asArray(field(list, 'items')) ?? []).length > 0 ? 'yes' : { problem: `there is no Node ${node}` };
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
      return { problem: `Node ${node} cannot be looked up: ${messageOf(error)}` };
    }
  }

  #podSource(node: string, pods: NonNullable<HostWatchesOptions['pods']>): WorkloadSource {
    const vmis: VmiLookup = {
      find: (uid) => this.#vmis?.find(uid),
      isReported: (uid) => this.#vmis?.isReported(uid) ?? false,
      refresh: async (launchers, signal) => await this.#vmis?.refresh(launchers, signal),
    };
    return createPodSource({ ...this.#options, ...pods, nodeName: node, vmis: this.#options.vmis ? vmis : undefined });
  }

  /** The selector of a watch cannot be changed: another set of nodes is another watch, which has to be listed first. */
  #watchVmis(): void {
    if (!this.#options.vmis) return;
    const known = [...this.#nodes].filter(([, watched]) => watched.known === 'yes').map(([node]) => node);
    const nodes = known.filter((node) => node.length <= LONGEST_LABEL_VALUE).toSorted();
    const key = nodes.join(' ');
    if (key === this.#vmiNodes) return;
    this.#vmiNodes = key;
    if (this.#vmis !== undefined) this.#keep(this.#vmis.stop());
    this.#vmis = nodes.length === 0 ? undefined : createVmiSource({ ...this.#options, nodeName: nodes });
    this.#vmis?.start();
  }

  #keep(ending: Promise<unknown>): void {
    this.#ending.add(ending);
    void ending.finally(() => this.#ending.delete(ending));
  }
}

function evidence(known: Watched['known'], readings: readonly (SourceReading | undefined)[]): NodeEvidence {
  if (known === undefined) return { state: 'syncing' };
  if (known !== 'yes') return { state: 'failed', message: known.problem };
  const statuses = readings.flatMap((reading) => (reading === undefined ? [] : [reading.status]));
  const failed = statuses.find(({ state }) => state === 'failed');
  if (failed !== undefined) return { state: 'failed', message: `its ${failed.name} cannot be listed: ${failed.message ?? 'no answer'}` };
  return { state: statuses.some(({ state }) => state === 'syncing') ? 'syncing' : 'synced' };
}
