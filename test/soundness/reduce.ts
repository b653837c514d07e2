import { PART_AXES, WORLD_AXES } from './features.ts';
import { plainOf, settle, type Layout } from './layout.ts';

/** Takes away and makes plain whatever the fault does not need; `shows` says whether a smaller layout still has it. */
export async function reduce(layout: Layout, shows: (smaller: Layout) => Promise<boolean>): Promise<Layout> {
  let smallest = layout;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const smaller of smallerThan(smallest)) {
      if (JSON.stringify(smaller) === JSON.stringify(smallest) || !(await shows(smaller))) continue;
      smallest = smaller;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

function* smallerThan(layout: Layout): Generator<Layout> {
  if (layout.extras.length > 0) yield { ...layout, extras: [] };
  if (layout.parts.length > 1) for (const part of layout.parts) yield { ...layout, parts: [part] };
  for (const part of layout.parts) yield { ...layout, parts: layout.parts.filter((other) => other !== part) };
  for (const extra of layout.extras) yield { ...layout, extras: layout.extras.filter((other) => other !== extra) };
  for (const axis of Object.keys(WORLD_AXES)) yield settle({ ...layout, world: { ...layout.world, [axis]: plainOf(WORLD_AXES, axis) } });
  for (const part of layout.parts) {
    for (const axis of Object.keys(PART_AXES)) {
      const plainer = { ...part, [axis]: plainOf(PART_AXES, axis) };
      yield settle({ ...layout, parts: layout.parts.map((other) => (other === part ? plainer : other)) });
    }
  }
}
