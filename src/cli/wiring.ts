import type { Config } from '../config/types.ts';
import type { NodeCleanup } from '../report/node-cleanup.ts';
import type { Report, Stage } from '../model/plan.ts';
import type { Logger } from '../model/ports.ts';

export interface PassRun {
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/** A pass with everything it works with; `close` ends watches and connections. */
export interface Pass {
  runPass(run: PassRun): Promise<Report>;
  close(): Promise<void>;
}

/** What commands need from the composition root; tests hand in twins. */
export interface Wiring {
  createPass(config: Config): Promise<Pass>;
  /** Removes our annotations from every node. Throws when there is no cluster, or when its nodes cannot be listed. */
  cleanUpNodes(signal: AbortSignal): Promise<NodeCleanup>;
  createAgent(config: Config, parts: { readonly logger: Logger }): Promise<{ run(signal: AbortSignal): Promise<void> }>;
}
