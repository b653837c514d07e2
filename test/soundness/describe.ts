import type { Kind, SoundnessResult } from './run.ts';

/** One line of counts, and one for each kind of fault. */
export function describeResult({ layouts, held, removed, overKept, faults, kinds }: SoundnessResult): string {
  const counts = Object.entries({ layouts, lost: faults.lost, held, removed, 'over-kept': overKept, ...withoutLost(faults) });
  const worstFirst = kinds.toSorted(
    (one, other) => Number(other.fault === 'lost') - Number(one.fault === 'lost') || other.count - one.count,
  );
  return [counts.map(([name, count]) => `${name} ${count}`).join(', '), ...worstFirst.map(describeKind)].join('\n');
}

/** How the first lost file was lost, as a shell script. */
export function describeKind({ fault, count, features, message, recipe, layout }: Kind): string {
  const title = `${fault} (${count}): ${features.join(' ') || 'nothing but plain choices'}\n  ${message}`;
  const origin = `# seed ${layout.seed}, layout ${layout.index}, reduced`;
  return fault === 'lost' ? `${title}\n${[origin, ...recipe.split('\n')].map((line) => `    ${line}`).join('\n')}` : title;
}

function withoutLost(faults: SoundnessResult['faults']): Record<string, number> {
  return Object.fromEntries(Object.entries(faults).filter(([fault]) => fault !== 'lost'));
}
