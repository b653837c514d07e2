import { ambiguityOf, isPlain } from '../lib/image-reference.ts';
import type { Finding } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';

/** Image references of workloads that have several readings. All of them are protected, so none holds anything. */
export function referenceFindings({ inventory }: Pick<Snapshot, 'inventory'>): Finding[] {
  return inventory.workloads.flatMap(({ name, object, images }) =>
    images
      .filter(({ ref }) => !isPlain(ref))
      .map(({ ref }): Finding => {
        const about = { workload: name, ...(object === undefined ? {} : { object }) };
        return { type: 'AmbiguousReference', ...about, message: `${name}: ${ambiguityOf(ref)}` };
      }),
  );
}
