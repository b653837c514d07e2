/**
 * argv: instances path, file with the overlays' paths, the C program, runs. Times our overlay scan with an empty cache, the header reads
 * of it alone, and the C program, turn by turn.
 */
import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { systemClock } from '../../src/lib/clock.ts';
import { HeaderCache } from '../../src/scan/header-cache.ts';
import { ImageReader } from '../../src/scan/image-reader.ts';
import { createOverlayScanner } from '../../src/scan/overlays.ts';

const [instancesPath = '', listPath = '', program = '', runs = '5'] = process.argv.slice(2);
const paths = readFileSync(listPath, 'utf8').trimEnd().split('\n');
const scan: number[] = [];
const headers: number[] = [];
const c: number[] = [];
for (let run = 0; run < Number(runs); run += 1) {
  const scanner = createOverlayScanner({ instancesPath, subdirectoryName: '_base', overlays: 'all' });
  let started = performance.now();
  const { headersRead, problems } = await scanner.scan({ instanceNames: new Set() });
  scan.push((performance.now() - started) / 1000);
  if (headersRead !== paths.length || problems.length > 0) throw new Error(`${headersRead} headers were read, ${problems.length} problems`);

  const stats = paths.map((path) => lstatSync(path, { bigint: true }));
  const reader = new ImageReader(instancesPath, new HeaderCache(16_384), systemClock);
  started = performance.now();
  for (const [index, path] of paths.entries()) reader.header(path, stats[index] ?? lstatSync(path, { bigint: true }));
  headers.push((performance.now() - started) / 1000);
  c.push(...(JSON.parse(execFileSync(program, [listPath, '1'], { encoding: 'utf8' })) as number[]));
}
console.log(JSON.stringify({ scan, headers, c }));
