/** argv: instances path, workloads file. Two passes in one process: the first, and one where nothing has changed. */
import { runPass } from '../../src/pass/pass.ts';
import { benchParts } from '../lib/parts.ts';

const [instancesPath = '', workloadsPath = ''] = process.argv.slice(2);
const parts = benchParts(instancesPath, workloadsPath);
const headers: number[] = [];
const counting = {
  ...parts,
  overlays: {
    scan: async (options: Parameters<typeof parts.overlays.scan>[0]) => {
      const found = await parts.overlays.scan(options);
      headers.push(found.headersRead);
      return found;
    },
  },
};
const first = await runPass(counting, { dryRun: true });
const firstHeaders = headers.splice(0).reduce((sum, count) => sum + count, 0);
const second = await runPass(counting, { dryRun: true });
const secondHeaders = headers.reduce((sum, count) => sum + count, 0);
console.log(JSON.stringify({ first: first.durationSeconds, second: second.durationSeconds, firstHeaders, secondHeaders }));
