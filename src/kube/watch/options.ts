import type { Clock } from '../../model/ports.ts';
import type { ApiPresence } from '../discovery/api-presence.ts';
import type { RemovedBy } from './object-store.ts';
import type { Reconnect } from './reconnect.ts';
import type { ReflectorStatus } from './health.ts';
import type { ReflectorTiming } from './timing.ts';
import type { KubeClient } from '../types.ts';

/** What all watches of an agent have in common. */
export interface WatchSettings {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly timing?: Partial<ReflectorTiming> | undefined;
  /** Resolves after the time, or when the signal aborts. Default: a timer. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
  /** To be shared by the watches of one connection. Default: each on its own. */
  readonly reconnect?: Reconnect | undefined;
}

export interface ReflectorOptions<T> extends WatchSettings {
  /** Of the collection, such as `/api/v1/pods`. */
  readonly path: string;
  /** Selectors. */
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly accept?: { readonly list: string; readonly watch: string } | undefined;
  /** What to keep of an object; undefined: nothing. Must take any JSON. */
  readonly select: (object: unknown) => T | undefined;
  /** For a resource that a cluster may lack. Without it a 404 is a failure like any other. */
  readonly presence?: ApiPresence | undefined;
  /** After every change of the items, and once after each list. */
  readonly onChange?: (() => void) | undefined;
  /** For every item that leaves: deleted or no longer selected (`watch`), or missing from a list or with its API (`list`). */
  readonly onRemoved?: ((item: T, by: RemovedBy) => void) | undefined;
}

/** A local copy of a collection, kept by list and watch. Nothing is ever thrown past it: problem is `status()`. */
export interface Reflector<T> {
  start(): void;
  stop(): Promise<void>;
  status(): ReflectorStatus;
  items(): Iterable<T>;
  get(uid: string): T | undefined;
  /** One quorum LIST that replaces the items, though the watch goes on. False when the signal aborts, at once, or, with the reason in `status()`, when it failed. */
  listConsistent(signal: AbortSignal | undefined): Promise<boolean>;
}
