import type { WorkloadRule } from '../../model/workload-rule.ts';
import { discoverResource } from '../../kube/discovery/discover-resource.ts';
import { KubeApiError } from '../../kube/errors.ts';
import { backoffMs } from '../../kube/retry.ts';
import type { Reflector, WatchSettings } from '../../kube/watch/options.ts';
import { createReflector } from '../../kube/watch/reflector.ts';
import { DEFAULT_REFLECTOR_TIMING, type ReflectorTiming } from '../../kube/watch/timing.ts';
import { messageOf } from '../../lib/errors.ts';
import { sleep } from '../../lib/sleep.ts';
import type { WorkloadSource } from '../../model/ports.ts';
import type { SourceReading } from '../../model/workload.ts';
import { selectorQuery } from '../../model/label-selector.ts';
import { compileRule, ruleSourceName, type RuleMapper, type RuleRecord } from './map-object.ts';

export interface RuleSourceOptions extends WatchSettings {
  readonly rule: WorkloadRule;
  readonly nodeName: string;
}

/**
 * Objects of any kind, read as VMs by a rule of the configuration. A kind that the cluster does not have is a failure, not an absence:
 * somebody wrote the rule because there are such VMs, and a misspelt kind must not leave them without protection.
 */
export function createRuleSource(options: RuleSourceOptions): WorkloadSource {
  return new RuleSource(options);
}

class RuleSource implements WorkloadSource {
  readonly name: string;
  readonly #options: RuleSourceOptions;
  readonly #timing: ReflectorTiming;
  readonly #map: RuleMapper;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #connecting: Promise<void> | undefined;
  #reflector: Reflector<RuleRecord> | undefined;
  #problem: KubeApiError | undefined;

  constructor(options: RuleSourceOptions) {
    this.#options = options;
    this.name = ruleSourceName(options.rule);
    this.#timing = { ...DEFAULT_REFLECTOR_TIMING, ...options.timing };
    this.#map = compileRule(options.rule, options.nodeName);
  }

  start(): void {
    this.#running ??= this.#untilConnected();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#connecting;
    await this.#reflector?.stop();
  }

  async read({ consistent, signal }: { consistent: boolean; signal?: AbortSignal | undefined }): Promise<SourceReading> {
    if (consistent && signal?.aborted !== true) {
      await this.#connect();
      await this.#reflector?.listConsistent(signal);
    }
    const records = [...(this.#reflector?.items() ?? [])];
    return {
      status: { name: this.name, ...(this.#reflector?.status() ?? this.#unconnected()) },
      workloads: records.map(({ workload }) => workload),
      gaps: records.flatMap(({ gaps }) => gaps),
    };
  }

  async #untilConnected(): Promise<void> {
    for (let failures = 1; !this.#stopping.signal.aborted; failures += 1) {
      await this.#connect();
      if (this.#reflector !== undefined) return;
      await sleep(backoffMs(failures, this.#problem?.retryAfterSeconds, this.#timing, this.#options.random), this.#stopping.signal);
    }
  }

  /** One attempt at a time, shared by anyone who asks. */
  async #connect(): Promise<void> {
    if (this.#reflector !== undefined || this.#stopping.signal.aborted) return;
    this.#connecting ??= this.#discover().finally(() => {
      this.#connecting = undefined;
    });
    await this.#connecting;
  }

  async #discover(): Promise<void> {
    const { rule, client } = this.#options;
    try {
      const { name, namespaced, groupPath } = await discoverResource(client, rule, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      const within = namespaced && rule.namespace !== undefined ? `/namespaces/${rule.namespace}` : '';
      this.#reflector = createReflector({
        ...this.#options,
        path: `${groupPath}${within}/${name}`,
        query: queryOf(rule),
        select: this.#map,
      });
      this.#reflector.start();
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
      this.#problem = error;
    }
  }

  #unconnected() {
    return {
      state: this.#problem === undefined ? ('syncing' as const) : ('failed' as const),
      message: this.#problem === undefined ? undefined : messageOf(this.#problem),
      lastContactMs: undefined,
      freshLimitMs: this.#timing.freshLimitMs,
      consistentListAtMs: undefined,
    };
  }
}

function queryOf({ selector, fieldSelector }: WorkloadRule): Record<string, string> {
  const labelSelector = selectorQuery(selector ?? {});
  return { ...(labelSelector === '' ? {} : { labelSelector }), ...(fieldSelector === undefined ? {} : { fieldSelector }) };
}
