/** What a colour means, the same on every panel: green is well, orange is held back, red has failed, blue only looks or waits, grey does nothing. */

type Colour = 'green' | 'semi-dark-green' | 'orange' | 'red' | 'blue' | 'purple' | 'yellow' | 'text';

/** By the label of a query's legend, then by its value. A label that is not here has colours of the palette. */
export const COLOURS: Readonly<Record<string, Readonly<Record<string, Colour>>>> = {
  mode: { enforce: 'green', 'dry-run': 'blue', off: 'text' },
  result: { Succeeded: 'green', DryRun: 'blue', Held: 'orange', Failed: 'red', Skipped: 'text' },
  state: { used: 'green', backing: 'semi-dark-green', pinned: 'purple', young: 'blue', held: 'orange', unused: 'yellow', foreign: 'text' },
};

/** Legends without a label. */
export const SINGLE_COLOURS: Readonly<Record<string, Colour>> = {
  'removed within 3 h': 'red',
  reclaimable: 'yellow',
  'failed passes': 'red',
};

/** Each series that a legend may stand for, and its colour. */
export function coloursOf(legend: string): readonly (readonly [string, Colour])[] {
  const label = /^\{\{(\w+)\}\}$/.exec(legend)?.[1];
  if (label !== undefined) return Object.entries(COLOURS[label] ?? {});
  const colour = SINGLE_COLOURS[legend];
  return colour === undefined ? [] : [[legend, colour]];
}
