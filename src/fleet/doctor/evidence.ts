import type { Report } from '../../model/report.ts';
import type { AgentState } from '../agents.ts';
import type { NodeStatus } from '../node-status.ts';
import type { Hypervisor } from './hypervisors.ts';
import type { NovaConfig } from './nova/config.ts';
import type { KnownPod } from './objects.ts';
import type { Admission } from './policies.ts';
import type { RightName } from './rights.ts';

/** What the API server says of everything beside the nodes. */
export interface Surroundings {
  /** Rights that the caller does not have. */
  readonly missingRights: readonly RightName[];
  /** By `namespace/name`; this and the next two are empty without the right to list pods. */
  readonly pods: ReadonlyMap<string, KnownPod>;
  readonly agents: readonly AgentState[];
  readonly hypervisors: readonly Hypervisor[];
  /** Undefined without the right to list them. */
  readonly admission: Admission | undefined;
}

/** What the agent on the node answered; undefined where it was not asked or could not be. */
export function reportOf(reports: Evidence['reports'], node: string): Report | undefined {
  const report = reports.get(node);
  return report instanceof Error ? undefined : report;
}

export interface Evidence {
  readonly statuses: readonly NodeStatus[];
  readonly surroundings: Surroundings;
  /** Of the nodes that were asked: the last report, or why there is none. */
  readonly reports: ReadonlyMap<string, Report | Error>;
  readonly novaConfigs: readonly NovaConfig[];
  /** Of this program. */
  readonly version: string;
  /** Wall clock. */
  readonly nowMs: number;
  /** An agent that has said nothing for so long is silent; undefined: as each agent says of itself. */
  readonly silentAfterSeconds: number | undefined;
}
