import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createOverlayScanner } from '../../../src/overlays/overlay-scanner.ts';
import { qcow2Image } from '../../helpers/qcow2-image.ts';
import { buildTree, type Tree } from '../../helpers/tree.ts';

const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';

const scanOf = ({ instancesPath }: Tree) =>
  createOverlayScanner({ instancesPath, subdirectoryName: '_base', overlays: 'all' }).scan({ instanceNames: new Set() });

it.each([
  ['\xff', '\xfe'],
  ['\xed\xa0\x80', '\xed\xb0\x80'],
  ['\xc0\xaf', '\xc1\xaf'],
  ['\xff', '\xef\xbf\xbd'],
])('a scan should keep names apart that differ only in bytes that are not UTF-8: %j and %j', async (one, other) => {
  for (const ends of [
    [one, other],
    [other, one],
  ] as const) {
    using tree = buildTree({ [`_base/${SHA1}`]: {}, [`_base/${SHA1}_10`]: {} });
    const at = (path: string, name: string): Buffer =>
      Buffer.concat([Buffer.from(`${tree.instancesPath}/${path}`), Buffer.from(name, 'latin1')]);
    for (const end of ends) mkdirSync(at('vm', end));
    writeFileSync(at('vm', `${ends[0]}/disk`), qcow2Image({ backingFile: `../_base/${SHA1}` }));
    mkdirSync(`${tree.instancesPath}/two`);
    for (const [index, end] of ends.entries())
      writeFileSync(at('two/disk', end), qcow2Image({ backingFile: `../_base/${SHA1}${index === 0 ? '' : '_10'}` }));
    const { overlays, unseen } = await scanOf(tree);
    expect(unseen).toEqual([]);
    expect(overlays.map(({ chain }) => chain[0]?.baseName).toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
      SHA1,
      SHA1,
      `${SHA1}_10`,
    ]);
  }
});

it('a link whose own name is not UTF-8 should be named as not followed', async () => {
  using tree = buildTree({ [`_base/${SHA1}`]: {}, 'vm/x': {} });
  symlinkSync(`../_base/${SHA1}`, Buffer.concat([Buffer.from(`${tree.instancesPath}/vm/l`), Buffer.from([0xff])]));
  expect((await scanOf(tree)).unseen).toMatchObject([{ path: 'vm/l\udcff', cause: 'NotFollowed' }]);
});
