/** argv: instances path, file with the overlays' paths, runs. Times our overlay scan with an empty cache, and the header reads of it alone. */
import { lstatSync, readFileSync } from 'node:fs';
import { systemClock } from '../../src/lib/clock.ts';
import { HeaderCache } from '../../src/scan/header-cache.ts';
import { ImageReader } from '../../src/scan/image-reader.ts';
import { createOverlayScanner } from '../../src/scan/overlays.ts';

const [instancesPath = '', listPath = '', runs = '5'] = process.argv.slice(2);
const paths = readFileSync(listPath, 'utf8').trimEnd().split('\n');
const scan: number[] = [];
const headers: number[] = [];
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
}
console.log(JSON.stringify({ scan, headers }));
