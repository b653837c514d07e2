/** What says how large batches are in src/execute/batches.ts, and what it says in a copy. */
const SIZES: readonly (readonly [from: string, to: (size: number) => string])[] = [
  ['{ smallest: 64, largest: 256 }', (size) => `{ smallest: ${size}, largest: ${size} }`],
  ['return { ...BATCH_SIZE, largest, first: Math.min(FIRST, largest) };', () => 'return BATCH_SIZE;'],
];

/** The source of src/execute/batches.ts with batches of a fixed size. Throws where it has changed so that this is not known any more. */
export function withBatchSize(source: string, size: number): string {
  return SIZES.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2)
      throw new Error(`src/execute/batches.ts must have "${from}" once; correct scripts/lib/batch-size.ts`);
    return text.replace(from, to(size));
  }, source);
}
