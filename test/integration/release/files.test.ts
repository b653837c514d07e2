import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../../scripts/chart/generated.ts';
import { ensureHelm } from '../../../scripts/lib/tools.ts';
import { artifactHubChanges, changesOf } from '../../../scripts/release/changelog.ts';
import {
  chartName,
  imageBundle,
  pluginName,
  type ReleaseFiles,
  releaseFiles,
  sbomName,
  sha256,
  writeFiles,
} from '../../../scripts/release/files.ts';
import { checkSource } from '../../../scripts/release/preconditions.ts';
import { provenanceOf } from '../../../scripts/release/provenance.ts';
import { describeRelease, type Release, versionsIn } from '../../../scripts/release/release.ts';
import type { Sbom } from '../../../scripts/release/sbom.ts';
import { readTar, tarGz } from '../../../scripts/release/tar.ts';
import { verifySbom } from '../../../scripts/release/verify.ts';

const VERSION = versionsIn(ROOT)['package.json'] ?? '';
const OPTIONS = { version: VERSION, registry: 'r.example:5000/some/where', source: 'https://s.example/x' };

let release: Release;
let made: ReleaseFiles;

const file = (name: string): Buffer => made.files.get(name) ?? Buffer.alloc(0);
const sbom = (): Sbom => JSON.parse(file(sbomName(VERSION)).toString()) as Sbom;

beforeAll(async () => {
  release = describeRelease(ROOT, OPTIONS, { SOURCE_DATE_EPOCH: '1764165600' });
  made = await releaseFiles(ROOT, release);
});

describe('the list of parts', () => {
  it('should be what the bundle itself says: nothing is missing, nothing is extra', () => {
    // esbuild writes before each module where it came from.
    const { bundle } = imageBundle(ROOT, 'amd64');
    const code = [...bundle].filter(([name]) => /\.[cm]js$/.test(name)).map(([, content]) => content.toString());
    const modules = code.flatMap((text) => [...text.matchAll(/(?:^\s*\/\/ |")node_modules\/((?:@[^/]+\/)?[^/\s]+)\/[^\s"]+(?:"\(|$)/gm)]);
    const named = new Set(modules.map(([, name]) => name));
    expect(named.size).toBeGreaterThan(30);
    const listed = new Set(sbom().components.map(({ name }) => name));
    // Named and empty: the minifier has taken all of its code away.
    expect([...named].filter((name) => !listed.has(name ?? ''))).toEqual([]);
    expect([...listed].filter((name) => !named.has(name))).toEqual([]);
    verifySbom(sbom(), made.packages);
  });

  it('should be refused with a package taken out, one more, or another version', () => {
    const { components } = sbom();
    const [first] = components;
    if (first === undefined) throw new Error('it is empty');
    expect(() => verifySbom({ components: components.slice(1) }, made.packages)).toThrow(`${first.purl} is in the bundle`);
    expect(() => verifySbom({ components: [...components, { ...first, purl: 'pkg:npm/evil@1.0.0' }] }, made.packages)).toThrow(
      'pkg:npm/evil@1.0.0 is in the list of parts, and the bundle lacks it',
    );
    const newer = components.map((part) => ({ ...part, purl: part.purl.replace('/yaml@', '/yaml@9') }));
    expect(() => verifySbom({ components: newer }, made.packages)).toThrow(/pkg:npm\/yaml@\d/);
  });

  it('should have a licence and a hash for each part, and the image the text of each licence', () => {
    const notices = imageBundle(ROOT, 'arm64').bundle.get('NOTICES.txt')?.toString() ?? '';
    for (const { name, version, license } of made.packages) expect(notices).toContain(`${name}@${version} (${license})`);
    for (const component of sbom().components) {
      expect(component).toMatchObject({
        licenses: [{ expression: expect.stringMatching(/./) }],
        hashes: [{ content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
      });
    }
    // Without a file that says it, at least its name must be there.
    expect([...notices.matchAll(/(\S+)\n\n=+\n\nThe package has no file/g)].length).toBeLessThanOrEqual(1);
  });
});

describe('the chart of a release', () => {
  it('should name the image of its registry, say what changed, and be accepted by Helm', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-chart-'));
    writeFiles(directory.path, made.files);
    const archive = join(directory.path, chartName(VERSION));
    for (const major of [3, 4] as const) {
      const rendered = execFileSync(await ensureHelm(major), ['template', 'x', archive], { encoding: 'utf8' });
      expect(rendered).toContain(`image: r.example:5000/some/where/basekeeper:${VERSION}`);
      expect(rendered).toContain(`documentsUrl: https://s.example/x/blob/v${VERSION}/docs\n`);
      expect(execFileSync(await ensureHelm(major), ['lint', archive], { encoding: 'utf8' })).toContain('0 chart(s) failed');
    }
    const chart = parse(
      readTar(file(chartName(VERSION)))
        .get('basekeeper/Chart.yaml')
        ?.toString() ?? '',
    ) as { annotations: Record<string, string> };
    const changes = parse(chart.annotations['artifacthub.io/changes'] ?? '') as { kind: string }[];
    expect(changes.length).toBeGreaterThan(5);
    expect(new Set(changes.map(({ kind }) => kind))).toContain('added');
  });
});

describe('the plugin of a release', () => {
  it('should run from its archive, which the krew manifest names with its sum', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-plugin-'));
    writeFiles(directory.path, made.files);
    const archive = file(pluginName(VERSION));
    execFileSync('tar', ['--extract', '--file', pluginName(VERSION)], { cwd: directory.path });
    const { status, stdout } = spawnSync(process.execPath, [join(directory.path, 'kubectl-basekeeper'), '--help'], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.stringContaining('kubectl basekeeper')]);
    const krew = parse(file('krew.yaml').toString()) as {
      spec: { platforms: { uri: string; sha256: string; bin: string; files: { from: string }[] }[] };
    };
    for (const platform of krew.spec.platforms) {
      expect(platform).toMatchObject({
        uri: `https://s.example/x/releases/download/v${VERSION}/${pluginName(VERSION)}`,
        sha256: sha256(archive),
      });
      expect([...readTar(archive).keys()].toSorted()).toEqual(platform.files.map(({ from }) => from).toSorted());
    }
  });

  it('should be found wrong by the checksums when a byte of it changes', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-sums-'));
    writeFiles(directory.path, made.files);
    const check = () => spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: directory.path, encoding: 'utf8' });
    expect(check().status).toBe(0);
    writeFileSync(join(directory.path, pluginName(VERSION)), 'another');
    expect(check().stdout).toContain(`${pluginName(VERSION)}: FAILED`);
  });
});

describe('an archive', () => {
  it('should be what tar reads, with names in order, one time and no owner', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-tar-'));
    const files = [
      { path: 'b/program', content: Buffer.from('x'.repeat(1000)), executable: true },
      { path: 'a', content: Buffer.from('text') },
    ];
    writeFileSync(join(directory.path, 'x.tar.gz'), await tarGz(files, 86_400));
    const list = execFileSync('tar', ['--list', '--verbose', '--utc', '--file', 'x.tar.gz'], { cwd: directory.path, encoding: 'utf8' });
    expect(list.split('\n').map((line) => line.split(/\s+/).join(' '))).toEqual([
      '-rw-r--r-- 0/0 4 1970-01-02 00:00 a',
      '-rwxr-xr-x 0/0 1000 1970-01-02 00:00 b/program',
      '',
    ]);
    expect(readTar(await tarGz(files, 1)).get('b/program')?.length).toBe(1000);
    await expect(tarGz([{ path: 'x'.repeat(101), content: Buffer.alloc(0) }], 0)).rejects.toThrow('longer than the 100 bytes');
  });
});

describe('what a release refuses', () => {
  it('should be a version that is not that of package and chart, a registry and a source that are none', () => {
    expect(() => describeRelease(ROOT, { ...OPTIONS, version: '9.9.9' })).toThrow(`package.json is of version ${VERSION}, not 9.9.9`);
    expect(() => describeRelease(ROOT, { ...OPTIONS, registry: 'https://ghcr.io/x' })).toThrow('must be a host and a path');
    expect(() => describeRelease(ROOT, { ...OPTIONS, source: 'example' })).toThrow('must be an https address');
  });

  it('should be a version of which the changelog says nothing', () => {
    const changelog =
      '# C\n\n## [2.0.0] - not released yet\n\n## [1.0.0]\n\n### Added\n- One `thing`\n  of [two](lines.md).\n- Another.\n\n### Fixed\n- That.\n';
    expect(() => changesOf(changelog, '3.0.0')).toThrow('CHANGELOG.md says nothing about 3.0.0');
    expect(() => changesOf(changelog, '2.0.0')).toThrow('CHANGELOG.md says nothing about 2.0.0');
    expect(artifactHubChanges(changesOf(changelog, '1.0.0'))).toEqual([
      { kind: 'added', description: 'One thing of two.' },
      { kind: 'added', description: 'Another.' },
      { kind: 'fixed', description: 'That.' },
    ]);
  });

  it('should be a tree with changes, and a tag of another commit', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-git-'));
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.example', ...args], { cwd: directory.path, encoding: 'utf8' });
    git('init', '--quiet');
    git('commit', '--quiet', '--allow-empty', '--message', 'one');
    git('tag', `v${VERSION}`);
    expect(() => checkSource(directory.path, release)).not.toThrow();
    mkdirSync(join(directory.path, 'sub'));
    writeFileSync(join(directory.path, 'sub', 'new'), '');
    expect(() => checkSource(directory.path, release)).toThrow(/changes that are in no commit[^]*sub/);
    git('add', '.');
    git('commit', '--quiet', '--message', 'two');
    expect(() => checkSource(directory.path, release)).toThrow('is the tag of another commit');
  });
});

it('should say in the provenance which commit, lock file, Dockerfile and base images it was made of', () => {
  const digest = 'a'.repeat(64);
  const bases = { BUILD_IMAGE: `r.example/build@sha256:${digest}`, RUNTIME_IMAGE: `r.example/run@sha256:${digest}` };
  const statement = provenanceOf(ROOT, { ...release, revision: 'abc' }, { bases, env: {} });
  expect(statement).toMatchObject({
    buildDefinition: {
      resolvedDependencies: [
        { digest: { gitCommit: 'abc' } },
        { digest: { sha256: sha256(readFileSync('package-lock.json')) } },
        { uri: 'Dockerfile' },
        { name: 'BUILD_IMAGE', uri: 'r.example/build', digest: { sha256: digest } },
        { name: 'RUNTIME_IMAGE', uri: 'r.example/run', digest: { sha256: digest } },
      ],
    },
  });
});
