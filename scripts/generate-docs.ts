/** Writes the documents that are made from the code; with --check, only says which of them are out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GENERATED_DOCS } from './lib/generated-docs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const checkOnly = process.argv.includes('--check');

for (const [path, text] of Object.entries(GENERATED_DOCS)) {
  if (!checkOnly) writeFileSync(`${root}${path}`, text());
  else if (readFileSync(`${root}${path}`, 'utf8') !== text()) {
    console.error(`${path} is out of date; run: npm run docs`);
    process.exitCode = 1;
  }
}
