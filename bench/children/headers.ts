/**
 * argv: instances path, file with the overlays' paths. For each message one overlay scan with an empty cache, and the header reads of it
 * alone; answers with the seconds of both, and with those that the system calls of the header reads alone take Node.js.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { systemClock } from '../../src/lib/clock.ts';
import { HeaderCache } from '../../src/images/header-cache.ts';
import { ImageReader } from '../../src/images/reader.ts';
import { createOverlayScanner } from '../../src/overlays/overlay-scanner.ts';
import { answerEach } from './answer-each.ts';

const [instancesPath = '', listPath = ''] = process.argv.slice(2);
const paths = readFileSync(listPath, 'utf8').trimEnd().split('\n');

answerEach(async () => {
  const scanner = createOverlayScanner({ instancesPath, subdirectoryName: '_base', overlays: 'all' });
  const startedMs = performance.now();
  const { headersRead, unseen } = await scanner.scan({ instanceNames: new Set() });
  const scannedMs = performance.now();
  if (headersRead !== paths.length || unseen.length > 0) throw new Error(`${headersRead} headers were read, ${unseen.length} unseen`);

  const stats = paths.map((path) => lstatSync(path, { bigint: true }));
  // What was made before is not the reader's to collect.
  globalThis.gc?.();
  const reader = new ImageReader({ instancesPath, cache: new HeaderCache(16_384), clock: systemClock });
  const readingMs = performance.now();
  for (const [index, path] of paths.entries()) reader.header(path, stats[index] ?? lstatSync(path, { bigint: true }));
  const readMs = performance.now();
  return { scan: (scannedMs - startedMs) / 1000, headers: (readMs - readingMs) / 1000, calls: callsAlone() };
});

const head = Buffer.allocUnsafe(4096);

function callsAlone(): number {
  const startedMs = performance.now();
  for (const path of paths) {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    fstatSync(fd, { bigint: true });
    readSync(fd, head, 0, head.length, 0);
    closeSync(fd);
  }
  return (performance.now() - startedMs) / 1000;
}
