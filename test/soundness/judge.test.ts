import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, type Built } from './build.ts';
import type { PartChoices } from './features.ts';
import { Templates } from './images.ts';
import { judge } from './judge.ts';
import { randomLayout, settle, type Layout } from './layout.ts';
import { askQemu, closure } from './oracle.ts';
import type { PassResult } from './pass.ts';
import { reduce } from './reduce.ts';

let parent: string;
let templates: Templates;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'basekeeper-soundness-'));
  templates = new Templates(parent);
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const PLAIN: PartChoices = {
  place: 'instance',
  name: 'disk',
  format: 'qcow2',
  spelling: 'absolute',
  middle: 'none',
  middleNamed: 'nobody',
  depth: 'one',
  baseKind: 'original',
  baseFormat: 'raw',
  below: 'none',
  keeper: 'workload',
  namedBy: 'nobody',
  also: 'nobody',
  declared: 'truly',
  diskInfo: 'none',
  mode: 'readable',
};

function layoutOf(choices: Partial<PartChoices>, more: Partial<Layout> = {}): Layout {
  const world = { mounted: 'here', user: 'root', trash: 'off', limit: 'none', outside: 'visible' } as const;
  return settle({ seed: 0, index: 0, world, parts: [{ id: 0, ...PLAIN, ...choices }], extras: [], ...more });
}

/** A pass that removes some of what it may, and says this. */
function passOf(removes: (path: string, built: Built) => boolean, reasons: readonly string[] = []) {
  return (built: Built): Promise<PassResult> => {
    for (const { path } of built.tree.candidates) if (removes(path, built)) rmSync(path);
    const gate = { open: reasons.length === 0, reasons: reasons.map((message) => ({ reason: 'OverlayUnreadable', message })) };
    return Promise.resolve({ code: gate.open ? 0 : 3, report: { result: 'Succeeded', gate, files: [] }, stderr: '' });
  };
}

const needed = (path: string, { tree }: Built): boolean =>
  tree.candidates.some((candidate) => candidate.path === path && candidate.part === 0);

describe('a random layout', () => {
  it('should be the same for the same seed and index', () => {
    expect(randomLayout(7, 3)).toEqual(randomLayout(7, 3));
    expect(randomLayout(7, 3)).not.toEqual(randomLayout(7, 4));
  });

  it('should have base files that qemu-img finds in use, however they are named', () => {
    let parts = 0;
    for (let index = 0; index < 40; index++) {
      const layout = randomLayout(1, index);
      using tree = build(layout, parent, templates).tree;
      const standing = askQemu(tree);
      const unused = new Set(tree.candidates.map(({ path }) => path));
      const used = closure(standing, [...standing.named, ...[...standing.images].filter((path) => !unused.has(path))]);
      for (const part of layout.parts) {
        // A hard link is a file of its own: it needs no other name of it.
        if (part.spelling === 'hardLinkOut') continue;
        const forgotten = tree.candidates.filter(({ path, part: id }) => id === part.id && !used.has(path));
        expect(forgotten, JSON.stringify(part)).toEqual([]);
        parts++;
      }
    }
    expect(parts).toBeGreaterThan(60);
  });
});

describe('the judge of a pass', () => {
  const faultOf = async (layout: Layout, pass: ReturnType<typeof passOf>): Promise<string | undefined> =>
    (await judge(layout, { parent, templates, program: false, pass })).fault;

  it.each<Partial<PartChoices>>([
    {},
    { place: 'base', below: 'one' },
    { place: 'trash' },
    { place: 'fileLinkOut', spelling: 'relative' },
    { place: 'outside', namedBy: 'mirror' },
    { format: 'dataFile' },
    { format: 'vmdkExtent' },
    { spelling: 'jump', middle: 'outside' },
    { spelling: 'bindMount' },
    { baseKind: 'twoNames' },
    { middle: 'offset' },
    { middle: 'within' },
    { place: 'slice' },
    { middle: 'outside', namedBy: 'definitionRaw', also: 'sameQcow2' },
    { middle: 'outside', declared: 'raw', middleNamed: 'definition' },
  ])('should call it lost when a base file in use goes: %o', async (choices) => {
    expect(await faultOf(layoutOf(choices), passOf(needed))).toBe('lost');
    expect(
      await faultOf(
        layoutOf(choices),
        passOf((path, built) => !needed(path, built)),
      ),
    ).toBeUndefined();
  });

  it('should call it left over when an unused file stays with an open gate', async () => {
    expect(
      await faultOf(
        layoutOf({}),
        passOf(() => false),
      ),
    ).toBe('left-over');
  });

  it('should call it held without cause when the gate is closed and all could be seen', async () => {
    expect(
      await faultOf(
        layoutOf({}),
        passOf(() => false, ['00000000-1111/disk']),
      ),
    ).toBe('held-without-cause');
  });

  it('should want a path in the reason of a gate that may be closed', async () => {
    const layout = layoutOf({}, { extras: ['fifo'] });
    expect(
      await faultOf(
        layout,
        passOf(() => false, ['something is wrong']),
      ),
    ).toBe('not-actionable');
    expect(
      await faultOf(
        layout,
        passOf(() => false, ['_base is held']),
      ),
    ).toBe('not-actionable');
    expect(
      await faultOf(
        layout,
        passOf(() => false, ['00000000-1111-4222-8333-444455556666/disk: it is not a file']),
      ),
    ).toBeUndefined();
  });
});

describe('a layout that loses a file', () => {
  it('should be reduced to what the loss takes', async () => {
    const layout = randomLayout(1, 2);
    const wide = { ...layout, parts: layout.parts.map((part) => ({ ...part, spelling: 'dotted' as const })) };
    const smallest = await reduce(wide, (smaller) => Promise.resolve(smaller.parts.some(({ spelling }) => spelling === 'dotted')));
    expect(smallest.parts).toHaveLength(1);
    expect(smallest.parts[0]).toMatchObject({ ...PLAIN, spelling: 'dotted' });
    expect(smallest.extras).toEqual([]);
  });
});
