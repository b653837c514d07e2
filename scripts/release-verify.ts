/**
 * npm run release:verify -- --version X --registry HOST/PATH --source URL [--key FILE | --identity IDENTITY [--issuer URL]] [--runtime-image NAME]
 * Without a key, the release workflow of the source must have signed, at the tag of the version. In a checkout of the release's commit after npm ci: checks who signed the release, and that this source gives the same bytes.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { releaseFiles } from './release/files.ts';
import { RELEASE_OPTIONS } from './release/options.ts';
import { describeRelease } from './release/release.ts';
import { verifyRelease } from './release/verify.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: {
    ...RELEASE_OPTIONS,
    identity: { type: 'string' },
    'runtime-image': { type: 'string' },
    issuer: { type: 'string', default: 'https://token.actions.githubusercontent.com' },
  },
});

try {
  if (values.key !== undefined && values.identity !== undefined)
    throw new Error('give either --key or --identity: whose signature counts?');
  const release = describeRelease(root, values);
  const trust = { ...values, plainHttp: values['plain-http'], runtimeImage: values['runtime-image'] };
  for await (const line of verifyRelease(root, release, await releaseFiles(root, release), trust)) console.log(line);
} catch (error) {
  console.error(`Not verified: ${messageOf(error)}`);
  process.exitCode = 1;
}
