export interface WorkerOptions {
  readonly server: string;
  readonly caPem: string;
  readonly token: string;
  /** Nodes `fleet-<first>` and so on. */
  readonly first: number;
  readonly count: number;
}

export type FleetOrder = { readonly id: number } & (
  | { readonly do: 'start' | 'synced' | 'idle' | 'stop' }
  | { readonly do: 'publish'; readonly files: number }
);

export interface FleetReply {
  readonly id: number;
  readonly value: number;
  /** `verb code` → finished requests of this worker so far, as its clients saw them; `event 410` → errors that came inside of a watch. */
  readonly codes: Readonly<Record<string, number>>;
}
