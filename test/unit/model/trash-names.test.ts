import { describe, expect, it } from 'vitest';
import { parseTrashEntryName, trashEntryName } from '../../../src/model/trash-names.ts';

describe('names in the trash', () => {
  it.each(['swap_1', 'a.b', 'name with\nnewline', '1764165600000'])('should be read as they were written: %j', (name) => {
    const trashedAtMs = 1_764_165_600_000;
    expect(parseTrashEntryName(trashEntryName({ name, trashedAtMs }))).toEqual({ name, trashedAtMs });
  });

  it.each(['', 'swap_1', '.5', 'swap_1.', 'swap_1.-5', 'swap_1.05', 'swap_1.5x', 'swap_1.1234567890123456'])(
    'should not be read from what nobody wrote: %j',
    (entry) => {
      expect(parseTrashEntryName(entry)).toBeUndefined();
    },
  );
});
