import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { check, verdictOf } from '../model/check.ts';
import { BROKEN, HOLDING, UNKEEPABLE } from '../model/configurations.ts';

const named = (name: string) => (entry: { readonly name: string }) => entry.name === name;

/** `npm run model` checks all of them; here are some that take a few seconds. */
const SMALL = ['two kills', 'the trash, and a stop at any moment'].map((name) => HOLDING.find(named(name)));
const VARIANTS = [
  'the evidence is read before the locks are taken',
  'an agent waits for a lock while it holds another',
  'a stop is not noticed',
].map((name) => BROKEN.find(named(name)));

describe('the model of removals', () => {
  it.each(SMALL.map((entry) => [entry?.name, entry] as const))('should hold in every order of the steps: %s', async (_, configuration) => {
    if (configuration === undefined) throw new Error('there is no such configuration');
    const { states, error } = await check(configuration);
    expect(error).toBeUndefined();
    expect(states).toBeGreaterThan(100_000);
  });

  it.each([...VARIANTS, ...UNKEEPABLE].map((entry) => [entry?.name, entry] as const))('should be refused: %s', async (_, variant) => {
    if (variant === undefined) throw new Error('there is no such variant');
    expect((await check(variant, { errorExpected: true })).error).toContain(variant.refusedBy);
  });

  it('should take no verdict from a search that did not end', () => {
    const unfinished = 'Warning: Search not completed\nState-vector 68 byte, depth reached 10, errors: 0\n    10 states, stored\n';
    expect(() => verdictOf(unfinished)).toThrow('pan did not look at all states');
    expect(() => verdictOf('error: max search depth too small')).toThrow('pan did not finish its search');
  });

  it('should name only files and functions that there are, in its table', () => {
    const rows = readFileSync('test/model/README.md', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(10);
    const model = readFileSync('test/model/removal.pml', 'utf8');
    const missing = rows.flatMap((row) => {
      const [, left = '', right = ''] = row.split(' | ').length > 1 ? ['', ...row.split(' | ')] : [];
      const inModel = codes(left).filter((code) => !model.includes(code));
      const texts = codes(right)
        .filter((code) => code.includes('/'))
        .map((path) => readFileSync(path, 'utf8'));
      const functions = codes(right).filter((code) => /^#?[a-z]\w+$/.test(code) && code !== 'enforce' && texts.length > 0);
      return [...inModel, ...functions.filter((code) => !texts.some((text) => text.includes(code)))];
    });
    expect(missing).toEqual([]);
  });
});

function codes(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].flatMap(([, code]) => code ?? []);
}
