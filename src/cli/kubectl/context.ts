import type { Command } from 'commander';
import type { Fleet } from '../../fleet/fleet.ts';
import type { Timing } from '../../lib/timing.ts';
import type { Clock } from '../../model/ports.ts';
import type { Environment, Io } from '../io.ts';

/** Options of every command of the plugin. */
export interface PlaceOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** How a command waits; tests bring their own. */
export interface Time {
  readonly clock: Clock;
  readonly sleep: Timing['sleep'];
}

/** What every command of the plugin is given. */
export interface KubectlContext {
  readonly env: Environment;
  readonly io: Io;
  /** Connects late: `--help` needs no cluster. Throws when there is none. */
  readonly connect: (place: PlaceOptions) => Promise<Fleet>;
  readonly exitWith: (code: number) => void;
  readonly time: Time;
}

/** Calls `use` with the agents of the cluster that the options name, and closes the connection. */
export async function withFleet<T>(command: Command, { connect }: KubectlContext, use: (fleet: Fleet) => Promise<T>): Promise<T> {
  const { kubeconfig, context } = command.optsWithGlobals<PlaceOptions>();
  const fleet = await connect({ ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) });
  try {
    return await use(fleet);
  } finally {
    fleet.close();
  }
}
