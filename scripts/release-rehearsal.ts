/**
 * npm run release:rehearsal [-- --no-cluster]: releases the commit that is checked out to a real registry on loopback, with a fresh key, and then does what a user
 * does with it. Needs root on Debian or Ubuntu, as the end-to-end tests do. Its last line says what held; .test-results/rehearsal.json has it as well.
 * `--no-cluster`: without installing it, where no cluster can be had.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { holdClusterDirectory } from '../test/e2e/cluster/hold.ts';
import { startOneNode } from '../test/e2e/cluster/one-node.ts';
import { buildahEnvironment } from '../test/e2e/image/build.ts';
import { unmountBelow } from '../test/e2e/lib/mounts.ts';
import { RUN_BY } from '../test/helpers/documents.ts';
import { ROOT } from './chart/generated.ts';
import { cacheDirectory } from './lib/cache.ts';
import { type Check, writeJsonReport } from './lib/json-report.ts';
import { announceOnStderr } from './lib/run.ts';
import { cleanUpOnSignals } from './lib/signals.ts';
import { ensureHelm, ensureReleaseTool } from './lib/tools.ts';
import { output, tool } from './release/commands.ts';
import { byDigest, published } from './release/publish.ts';
import { pushBases } from './release/rehearsal/bases.ts';
import { type Checkout, checkouts } from './release/rehearsal/checkouts.ts';
import { withChangedChart, withoutOnePackage } from './release/rehearsal/counter-proofs.ts';
import { startRegistry } from './release/rehearsal/registry.ts';
import { createUser } from './release/rehearsal/user.ts';
import { describeRelease, type Release, versionsIn } from './release/release.ts';

const { values } = parseArgs({ options: { 'no-cluster': { type: 'boolean', default: false } } });
const SOURCE = 'https://example.invalid/basekeeper';
const started = performance.now();
const resources = new AsyncDisposableStack();
const held: string[] = [];

/** Does one step and says what held and how long it took. `short`: its part of the closing line. */
async function step<T>(short: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  try {
    const result = await work();
    held.push(short);
    announceOnStderr(`rehearsal: ${short}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return result;
  } catch (error) {
    throw new Error(`${short}: ${messageOf(error)}`, { cause: error });
  }
}

async function refuses(what: string, reason: RegExp, work: () => Promise<unknown>): Promise<void> {
  await step(`refused ${what}`, async () => {
    const message = await work().then(
      () => 'it was taken',
      (error: unknown) => messageOf(error),
    );
    if (!reason.test(message)) throw new Error(`must be refused because of ${String(reason)}, but: ${message}`);
  });
}

/** The cluster, the registry, the key and the base images: what a rehearsal happens in. */
async function prepare() {
  for (const name of ['registry', 'cosign', 'oras'] as const) await ensureReleaseTool(name);
  await ensureHelm(3);
  mkdirSync(cacheDirectory(process.env, 'rehearsal'), { recursive: true });
  const work = mkdtempSync(cacheDirectory(process.env, 'rehearsal', 'run-'));
  resources.defer(() => {
    rmSync(work, { recursive: true, force: true });
  });
  const cluster = values['no-cluster'] ? undefined : await startOneNode(await holdClusterDirectory(), async () => '');
  if (cluster !== undefined) resources.defer(() => cluster.stop());
  const registry = await startRegistry(join(work, 'registry'), cluster?.access.prefix);
  resources.defer(() => {
    registry.stop();
  });
  const storage = join(work, 'storage');
  resources.defer(() => unmountBelow(storage));
  Object.assign(process.env, buildahEnvironment(storage), { COSIGN_PASSWORD: '' });
  for (const name of ['cosign', 'other']) await tool('cosign', ['generate-key-pair', `--output-key-prefix=${join(work, name)}`]);
  // What npm has downloaded already needs no second download; the lock file still checks it.
  const cache = (await output('npm', ['config', 'get', 'cache'])).trim();
  mkdirSync(cache, { recursive: true });
  const bases = await pushBases(join(work, 'bases'), registry.address);
  const buildOptions = [...bases, `--volume=${cache}:/root/.npm`].map((it) => `--build-option=${it}`);
  return { access: cluster?.access, work, registry, buildOptions };
}

async function sameBytes(release: Release, usual: Checkout, strange: Checkout, build: readonly string[]): Promise<void> {
  await strange.run('release.ts', [...namesOf(release), '--files-only']);
  await output('diff', ['--recursive', '--exclude=*.bundle', `${usual.root}.release`, `${strange.root}.release`]);
  const again = { ...release, registry: `${release.registry}-again` };
  await strange.run('release.ts', [...namesOf(again), ...build]);
  const [first, second] = [await byDigest(published(release).image, PLAIN), await byDigest(published(again).image, PLAIN)];
  const digest = (reference: string) => reference.replace(/^.*@/, '');
  if (digest(first) !== digest(second)) throw new Error(`the images differ: ${first} and ${second}`);
}

const PLAIN = { plainHttp: true };

function namesOf({ version, registry, source }: Release): string[] {
  return [`--version=${version}`, `--registry=${registry}`, `--source=${source}`, '--plain-http', '--offline'];
}

async function main(): Promise<void> {
  const { access, work, registry, buildOptions } = await prepare();
  const [usual, strange] = await checkouts(ROOT, work);
  const version = versionsIn(usual.root)['package.json'] ?? '';
  const release = describeRelease(usual.root, { version, registry: `${registry.address}/basekeeper`, source: SOURCE });
  const files = join(usual.root, '.release');
  const build = [`--key=${join(work, 'cosign.key')}`, ...buildOptions];
  await step('released', () => usual.run('release.ts', [...namesOf(release), ...build]));
  await refuses('a version that exists', /exists/, () => usual.run('release.ts', [...namesOf(release), ...build]));
  await step('the same bytes from another directory, umask and time zone', () => sameBytes(release, usual, strange, build));

  const runtime = buildOptions.map((option) => /RUNTIME_IMAGE=(.+)$/.exec(option)?.[1]).find((name) => name !== undefined) ?? '';
  const verify = (of: Release, key = 'cosign') =>
    strange.run('release-verify.ts', [...namesOf(of), `--key=${join(work, `${key}.pub`)}`, `--runtime-image=${runtime}`]);
  const signing = { ...PLAIN, key: join(work, 'cosign.key'), offline: true };
  await step('verified against the source', async () => announceOnStderr(await verify(release)));
  await refuses('the signature of another key', /no matching signatures|invalid signature/, () => verify(release, 'other'));
  await refuses('a list of parts without a package', /the list of parts lacks it/, async () =>
    verify(await withoutOnePackage(release, files, work, signing)),
  );
  await refuses('a chart changed after it was signed', /no signatures found/, async () =>
    verify(await withChangedChart(release, files, join(work, 'changed'), signing)),
  );

  copyFileSync(join(work, 'cosign.pub'), join(files, 'cosign.pub'));
  if (access === undefined) return;
  const options = ['--plain-http', '--offline', `--runtime-image=${runtime}`];
  const user = await createUser(access, release, files, { checkout: usual.root, options });
  await step('upgraded from 0.1.0, the image by its digest', () => user.upgradesByDigest(join(ROOT, 'test', 'fixtures', 'chart-0.1.0')));
  await step('installed and removed by the documents', () => user.follow(RUN_BY.cluster));
  await step('verified by the documents, with the plugin from its archive', () =>
    user.follow([...RUN_BY.release, 'kubectl basekeeper status']),
  );
}

/** What held, and what failed, for the sum of all tests. */
function leaveReport(...failures: readonly Check[]): void {
  writeJsonReport('rehearsal', 'scripts/release-rehearsal.ts', [...held.map((name) => ({ name, failure: undefined })), ...failures]);
}

cleanUpOnSignals(() => resources.disposeAsync());
try {
  await main();
  await resources.disposeAsync();
  leaveReport();
  console.log(`Rehearsed in ${((performance.now() - started) / 1000).toFixed(0)} s: ${held.join('; ')}.`);
} catch (error) {
  leaveReport({ name: 'the rehearsal ends well', failure: messageOf(error) });
  await resources.disposeAsync();
  console.error(`The rehearsal failed. ${messageOf(error)}`);
  process.exitCode = 1;
}
process.exit();
