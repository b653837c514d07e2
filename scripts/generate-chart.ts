/** Writes what is generated from the chart and the configuration's schema: values.schema.json, the README's table and manifests/. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generatedFiles, ROOT } from './chart/generated.ts';
import { ensureHelm } from './lib/tools.ts';

const helm = await ensureHelm(3);

function writeFiles(): number {
  const files = generatedFiles(helm);
  // A resource that the chart no longer has must not stay behind.
  rmSync(`${ROOT}manifests`, { recursive: true, force: true });
  for (const [path, content] of files) {
    mkdirSync(dirname(`${ROOT}${path}`), { recursive: true });
    writeFileSync(`${ROOT}${path}`, content);
  }
  return files.size;
}

// The manifests are rendered from the chart's generated files, which Helm reads from the disk.
writeFiles();
console.log(`${writeFiles()} files written`);
