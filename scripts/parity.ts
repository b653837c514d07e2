/**
 * `npm run parity -- [--trees N] [--seed S] [--path P]`: Basekeeper against the real Nova on random trees.
 * `--nova VERSION` compares with that release from PyPI (`newest`: the newest one), and first says what differs between its source and
 * that of the releases compared before; `--files` stops there.
 */
import { parseArgs } from 'node:util';
import { piecesOf } from '../test/parity/nova-pieces.ts';
import { COMPARED_RELEASES, describePieces, unreadPieces } from '../test/parity/nova-releases.ts';
import { compareRandomTrees, describeFailure } from '../test/parity/random-trees.ts';
import { ensureNova, newestNova, type InstalledNova } from './lib/nova.ts';

const { values } = parseArgs({
  options: {
    trees: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    nova: { type: 'string' },
    files: { type: 'boolean', default: false },
  },
});

/** Says what differs in the source, and ends with 1 where somebody has to read it. */
function compareSource({ version, directory, python }: InstalledNova): void {
  const { pieces } = piecesOf(directory, python);
  console.log(
    `Nova ${version}${COMPARED_RELEASES.includes(version) ? '' : ', which is not in docs/nova-parity.md yet'}, piece by piece against 26.2.2:`,
  );
  for (const line of describePieces(pieces)) console.log(`  ${line}`);
  const unread = unreadPieces(pieces);
  if (unread.length === 0) return;
  console.log(`${unread.length} to read. When they decide as before, add their digests to test/parity/nova-releases.ts:`);
  for (const piece of unread) console.log(`  ${piece}`);
  process.exitCode = 1;
}

async function compareTrees(python: string | undefined): Promise<void> {
  const startedMs = performance.now();
  const result = await compareRandomTrees({
    trees: Number(values.trees),
    seed: values.seed === undefined ? undefined : Number(values.seed),
    path: values.path,
    python,
    onTree: (done) => {
      if (done % 500 === 0) console.error(`${done} trees in ${Math.round((performance.now() - startedMs) / 1000)} s`);
    },
  });
  if (result.failure !== undefined) {
    console.log(describeFailure(result.failure));
    process.exitCode = 1;
    return;
  }
  console.log(`${result.trees} trees (seed ${result.seed}), 0 unexplained differences; ${result.qemuImgRuns} disks read by qemu-img`);
  console.log('base files:', result.fates);
  console.log('trees with known differences (docs/nova-parity.md):', result.excused);
}

const version = values.nova === 'newest' ? newestNova() : values.nova;
const nova = version === undefined ? undefined : await ensureNova(version, values.files ? 'files' : 'whole');
if (nova !== undefined) compareSource(nova);
if (!values.files) await compareTrees(nova?.python);
