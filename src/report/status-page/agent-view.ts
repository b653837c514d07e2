import type { Mode } from '../../model/policy.ts';

/** What the status page shows of the agent itself. */
export interface AgentView {
  readonly node: string;
  readonly version: string;
  /** The mode that is in force, annotation included. */
  readonly mode: Mode;
  readonly passRunning: boolean;
  /** Wall clock, ms; undefined while none is planned. */
  readonly nextPassMs: number | undefined;
  readonly nowMs: number;
}
