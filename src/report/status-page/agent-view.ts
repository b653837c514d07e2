import type { Mode } from '../../model/policy.ts';
import type { LastRemoval } from '../last-removal.ts';

/** What the status page shows of the agent itself. */
export interface AgentView {
  readonly node: string;
  readonly version: string;
  /** The mode that is in force, annotation included. */
  readonly mode: Mode;
  readonly passRunning: boolean;
  /** Wall clock, ms; undefined while none is planned. */
  readonly nextPassMs: number | undefined;
  /** The last pass that removed something; undefined where none is known. */
  readonly lastRemoval?: LastRemoval | undefined;
  readonly nowMs: number;
  /** Of the directory that has the documents; undefined: the page names none. */
  readonly documentsUrl?: string | undefined;
}
