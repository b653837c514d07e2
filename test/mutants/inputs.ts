import type { MutantsOf } from './mutant.ts';

const ENTRANCES = 'test/unit/references/entrances.test.ts';

/** What is written down is understood in one way at every entrance, and no pattern takes for ever. */
export const INPUTS: readonly MutantsOf[] = [
  {
    file: 'src/lib/image-reference.ts',
    tests: [ENTRANCES, 'test/unit/lib/image-reference.test.ts'],
    mutants: [
      { rule: 'image references: blanks around one do not count', from: ', reference.trim(), ...reference.split(/\\s+/u)]', to: ']' },
      {
        rule: 'image references: one with blanks counts as it is written as well',
        from: '[reference, reference.trim()',
        to: '[reference.trim()',
      },
      { rule: 'image references: each part between blanks counts', from: ', ...reference.split(/\\s+/u)', to: '' },
      { rule: 'lists: blanks around separators do not count', from: '.map((part) => part.trim())', to: '' },
    ],
  },
  {
    file: 'src/plan/pins.ts',
    tests: [ENTRANCES],
    mutants: [
      { rule: 'pins: one with blanks keeps every reading', from: 'readingsOf(ref).map(', to: '[ref].map(' },
      { rule: 'pins: a glob that is not understood keeps every file', from: 'matches: () => true', to: 'matches: () => false' },
    ],
  },
  {
    file: 'src/lib/patterns/file-glob.ts',
    tests: ['test/unit/lib/patterns/file-glob.test.ts'],
    mutants: [
      { rule: 'globs: a long one is refused', from: 'glob.length > MAX_GLOB_LENGTH', to: 'false' },
      { rule: 'globs: one with "/" is refused, as it matches no file name', from: "glob.includes('/')", to: 'false' },
      { rule: 'globs: "!" turns the whole glob round', from: '!== negated', to: '!== false' },
    ],
  },
];
