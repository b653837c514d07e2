/**
 * npm run release -- --version X --registry HOST/PATH --source URL [--key KEY]
 *   builds bundle, image, chart and plugin, pushes and signs them, and writes the release's files to `.release`
 *   --dry-run      says what it would do
 *   --files-only   writes the files, which needs no registry; two runs of one commit give the same bytes
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { releaseFiles, writeFiles } from './release/files.ts';
import { checkSource, checkUnpublished } from './release/preconditions.ts';
import { publish, published } from './release/publish.ts';
import { RELEASE_OPTIONS } from './release/options.ts';
import { describeRelease } from './release/release.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: {
    ...RELEASE_OPTIONS,
    out: { type: 'string', default: `${root}.release` },
    'build-option': { type: 'string', multiple: true, default: [] },
    'files-only': { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const release = describeRelease(root, values);
  const { key, offline, out } = values;
  const options = { key, offline, plainHttp: values['plain-http'], buildOptions: values['build-option'] };
  if (!values['files-only']) {
    checkSource(root, release);
    await checkUnpublished(release, options);
  }
  if (values['dry-run']) {
    console.log(`Version ${release.version} of commit ${release.revision} can be released. This would build, push and sign:`);
    for (const [what, name] of Object.entries(published(release))) console.log(`  ${what.padEnd(6)} ${name}`);
    console.log(`by ${key === undefined ? 'your own identity' : `the key ${key}`}, and write the release's files to ${out}.`);
    return;
  }
  const { files } = await releaseFiles(root, release);
  writeFiles(out, files);
  for (const name of files.keys()) console.log(`${out}/${name}`);
  if (values['files-only']) return;
  for (const reference of await publish(root, out, release, options)) console.log(`pushed and signed: ${reference}`);
}

try {
  await main();
} catch (error) {
  console.error(`Not released: ${messageOf(error)}`);
  process.exitCode = 1;
}
