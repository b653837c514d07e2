import { countBy } from '../lib/by-key.ts';
import { timestamp } from '../lib/timestamp.ts';
import type { Evidence, SourceEvidence } from '../model/ledger/records.ts';
import type { OverlayScan } from '../model/overlay.ts';
import type { Inventory } from '../model/workload.ts';

/** What is recorded of one reading of sources and overlays. */
export function evidenceOf({ sources, workloads, gaps }: Inventory, { overlays, unseen }: OverlayScan): Evidence {
  const workloadsOf = countBy(workloads, ({ source }) => source);
  const gapsOf = countBy(gaps, ({ source }) => source);
  return {
    sources: sources.map(({ name, state, consistentListAtMs, lastContactMs, resourceVersion }): SourceEvidence => ({
      name,
      state,
      ...(consistentListAtMs === undefined ? {} : { listedAt: timestamp(consistentListAtMs) }),
      ...(lastContactMs === undefined ? {} : { contactAt: timestamp(lastContactMs) }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      workloads: workloadsOf[name] ?? 0,
      gaps: gapsOf[name] ?? 0,
    })),
    overlays: countBy(overlays, ({ state }) => state),
    unseen: unseen.length,
  };
}
