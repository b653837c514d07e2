import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { file, Measured } from '../lib/child.ts';
import type { Bench } from '../lib/row.ts';
import { median, seconds } from '../lib/stats.ts';
import { buildTree } from '../lib/tree.ts';

const GOAL = 2;
const RUNS = 9;

export const headersBench: Bench = {
  name: 'headers',
  async run({ root, quick, say }) {
    const overlays = quick ? 1000 : 10_000;
    const tree = buildTree(root, { files: overlays, vms: 10, overlays });
    const list = join(root, 'overlays.txt');
    writeFileSync(list, `${tree.overlayPaths.join('\n')}\n`);
    const program = join(root, 'headers');
    execFileSync('gcc', ['-O2', '-o', program, file('peers/headers.c')]);
    const ours = await turnByTurn(tree.instancesPath, list, program);
    const { c } = ours;
    tree.remove();
    const ratio = median(ours.headers) / median(c);
    const whole = median(ours.scan) / median(c);
    say(
      `  ${overlays} overlays: headers ${seconds(median(ours.headers))}, whole scan ${seconds(median(ours.scan))}, C ${seconds(median(c))}`,
    );
    return [
      {
        id: 'headers',
        what: `headers of ${overlays / 1000}k overlays, cold cache of ours`,
        against: `a C program doing open + pread 4 KiB + close: ${seconds(median(c))}`,
        goal: `≤ ${GOAL} ×`,
        figure: `${seconds(median(ours.headers))}: ${ratio.toFixed(2)} × (\`open\`, \`fstat\`, \`read\` and \`close\` alone, in Node.js: ${seconds(median(ours.calls))})`,
        met: ratio <= GOAL,
        measures: { ratio, oursSeconds: ours.headers, callsSeconds: ours.calls, cSeconds: c },
      },
      {
        id: 'overlay-scan',
        what: 'the same with listing every instance directory, lstat and following the chains',
        against: 'the same C program, which is given the paths',
        goal: '–',
        figure: `${seconds(median(ours.scan))}: ${whole.toFixed(2)} ×`,
        met: undefined,
        measures: { ratio: whole, oursSeconds: ours.scan },
      },
    ];
  },
};

async function turnByTurn(instancesPath: string, list: string, program: string) {
  const figures = { scan: [] as number[], headers: [] as number[], calls: [] as number[], c: [] as number[] };
  await using reads = new Measured<{ scan: number; headers: number; calls: number }>('headers.ts', instancesPath, list);
  // The first of each finds caches cold, and code that has never run.
  await reads.measure();
  for (let run = 0; run < RUNS; run += 1) {
    const { scan, headers, calls } = await reads.measure();
    figures.calls.push(calls);
    figures.scan.push(scan);
    figures.headers.push(headers);
    figures.c.push(...(JSON.parse(execFileSync(program, [list, '1'], { encoding: 'utf8' })) as number[]));
  }
  return figures;
}
