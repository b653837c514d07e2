import type { GateReason } from './reasons.ts';

/** What speaks against removals, by the condition of the gate that it violates. */
export type GateObjections = Readonly<Partial<Record<GateReason, readonly string[]>>>;
