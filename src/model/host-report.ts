import type { Pin, Workload } from './workload.ts';

/** What an agent reports of its host's workloads to the hosts that share its directory. */
export interface HostReport {
  readonly apiVersion: 'basekeeper.io/v1';
  readonly kind: 'HostReport';
  readonly host: string;
  /** Wall clock (ms) of that host, before its sources were asked. */
  readonly takenAtMs: number;
  /** True when it has sources that nobody else can ask: libvirt, a file, rules. */
  readonly onlyByReport: boolean;
  /** Why the workloads are not complete. Empty: they are. */
  readonly incomplete: readonly string[];
  readonly workloads: readonly ReportedWorkload[];
  readonly pins: readonly Pin[];
}

export type ReportedWorkload = Pick<Workload, 'name' | 'instanceNames' | 'resizing' | 'images' | 'swapMb' | 'ephemeral' | 'paths'>;
