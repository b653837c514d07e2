import type { VmiRecord } from './map-vmi.ts';

/** A VMI is remembered for at least this long after it left a watch. */
const LINGER_MS = 120_000;
/** More are never remembered; the oldest are forgotten first. */
const MAX_REMEMBERED = 2000;

interface Remembered {
  readonly record: VmiRecord;
  readonly leftAtMs: number;
  /** It may turn up in the other watch; false once a consistent list has shown that it is not on this node. */
  lingering: boolean;
}

/**
 * VMIs that no watch of this node shows (any more). A DELETED event of a watch by label may only mean that the label changed: at the end
 * of a migration to this node, a VMI leaves the watch of `migrationTargetNodeName`, and the watch of `nodeName`, which knows nothing of
 * that, may show it only later. And a virt-launcher pod that stays behind still has the disks of its VMI, wherever the labels point to.
 */
export class VmiMemory {
  readonly #remembered = new Map<string, Remembered>();

  find(uid: string): VmiRecord | undefined {
    return this.#remembered.get(uid)?.record;
  }

  /** A VMI that left a watch. */
  remember(record: VmiRecord, leftAtMs: number, lingering: boolean): void {
    this.#remembered.delete(record.uid);
    this.#remembered.set(record.uid, { record, leftAtMs, lingering });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  /** A VMI that was looked up by name. */
  update(record: VmiRecord, nowMs: number): void {
    const known = this.#remembered.get(record.uid);
    this.remember(record, known?.leftAtMs ?? nowMs, known?.lingering ?? false);
  }

  /** Those that may be on their way from one watch to the other. */
  lingering(nowMs: number): readonly VmiRecord[] {
    const entries = [...this.#remembered.values()].filter((entry) => entry.lingering && nowMs - entry.leftAtMs < LINGER_MS);
    return entries.map(({ record }) => record);
  }

  /** Consistent lists that began at `sinceMs` showed none of those that left before. */
  settle(sinceMs: number): void {
    for (const entry of this.#remembered.values()) if (entry.leftAtMs < sinceMs) entry.lingering = false;
  }

  /** Forgets what neither lingers nor is needed for a virt-launcher pod. */
  retain(uids: ReadonlySet<string>, nowMs: number): void {
    for (const [uid, { leftAtMs }] of this.#remembered) {
      if (!uids.has(uid) && nowMs - leftAtMs >= LINGER_MS) this.#remembered.delete(uid);
    }
  }
}
