import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { CHART, ROOT } from '../../../scripts/chart/generated.ts';
import { versionsIn } from '../../../scripts/release/release.ts';
import { at, helm, manifestsIn, only, titleOf, type Manifest } from '../../helpers/helm.ts';
import { asAdmin, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';

const OLD_CHART = `${ROOT}test/fixtures/chart-0.1.0`;
const VERSION = versionsIn(ROOT)['package.json'];
const IMAGE = 'spec.template.spec.containers.0.image';

let server: KubeServer;
let directory: string;
let releases = 0;

beforeAll(async () => {
  server = await startKubeServer();
  directory = await mkdtemp(join(tmpdir(), 'basekeeper-upgrade-'));
});

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Release {
  helm(command: string, ...args: readonly string[]): Promise<string>;
  /** What the release consists of now. */
  manifests(): Promise<Manifest[]>;
  daemonSet(): Promise<unknown>;
}

/** A release of this chart in a namespace of its own. */
async function install(major: 3 | 4, chart: string, ...args: readonly string[]): Promise<Release> {
  releases++;
  const where = ['--kubeconfig', server.kubeconfigPath, '--namespace', `upgrade-${releases}`];
  const run = (command: string, ...more: readonly string[]) => helm(major, command, 'basekeeper', ...more, ...where);
  await run('install', chart, '--create-namespace', ...args);
  return {
    helm: run,
    manifests: async () => manifestsIn(await helm(major, 'get', 'manifest', 'basekeeper', ...where)),
    daemonSet: () => asAdmin(server, 'GET', `/apis/apps/v1/namespaces/upgrade-${releases}/daemonsets/basekeeper`),
  };
}

async function valuesFile(name: string, values: object): Promise<string> {
  const file = join(directory, `${name}.json`);
  await writeFile(file, JSON.stringify(values));
  return file;
}

function configOf(manifests: readonly Manifest[]): unknown {
  return parse(at(only(manifests, 'ConfigMap'), 'data.config\\.yaml') as string);
}

async function chartWith(name: string, values: object): Promise<string> {
  const chart = join(directory, name);
  await mkdir(chart);
  await writeFile(join(chart, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: 0.0.1\n`);
  await writeFile(join(chart, 'values.yaml'), stringify(values));
  return chart;
}

describe.each([3, 4] as const)('an upgrade from 0.1.0 with Helm %i', (major) => {
  const values = { config: { mode: 'enforce', http: { port: 9900 } }, service: { port: 9901 }, podLabels: { team: 'x' } };

  it.each<[string, (file: string) => string[]]>([
    ['--reuse-values', () => ['--reuse-values']],
    ['--reset-then-reuse-values', () => ['--reset-then-reuse-values']],
    ['--reset-values and the file', (file) => ['--reset-values', '--values', file]],
  ])('should keep what was set, by %s, and go back by a rollback', async (_title, flags) => {
    const file = await valuesFile(`upgrade-${major}`, values);
    const release = await install(major, OLD_CHART, '--values', file);
    const before = await release.manifests();
    expect(at(await release.daemonSet(), IMAGE)).toBe('ghcr.io/basekeeper/basekeeper:0.1.0');

    await release.helm('upgrade', CHART, ...flags(file));
    const after = await release.manifests();
    expect(configOf(after)).toMatchObject(values.config);
    expect(at(only(after, 'Service'), 'spec.ports.0.port')).toBe(9901);
    const daemonSet = await release.daemonSet();
    expect(at(daemonSet, IMAGE)).toBe(`ghcr.io/basekeeper/basekeeper:${VERSION}`);
    expect(at(daemonSet, 'spec.template.metadata.labels.team')).toBe('x');
    // The selector of a DaemonSet cannot change: an upgrade that changed it would be refused.
    expect(at(daemonSet, 'spec.selector')).toEqual(at(only(before, 'DaemonSet'), 'spec.selector'));

    await release.helm('rollback', '1');
    expect(await release.manifests()).toEqual(before);
    expect(at(await release.daemonSet(), IMAGE)).toBe('ghcr.io/basekeeper/basekeeper:0.1.0');
  });
});

describe('sections that are missing', () => {
  it.each([3, 4] as const)(
    'should have their defaults after --reuse-values from a chart that had none of them (Helm %i)',
    async (major) => {
      const older = await chartWith(`older-${major}`, { image: { tag: 'v9' }, nodeSelector: { nova: 'here' } });
      const release = await install(major, older);
      await release.helm('upgrade', CHART, '--reuse-values');
      const manifests = await release.manifests();
      expect(at(only(manifests, 'DaemonSet'), IMAGE)).toBe('ghcr.io/basekeeper/basekeeper:v9');
      expect(at(only(manifests, 'DaemonSet'), 'spec.template.spec.nodeSelector')).toEqual({ nova: 'here' });
      expect(configOf(manifests)).toMatchObject({ mode: 'dry-run', http: { port: 9817 } });
      expect(manifests.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Service', 'NetworkPolicy', 'ClusterRole']));
    },
  );

  it.each([3, 4] as const)('should have their defaults when every key is set to null (Helm %i)', async (major) => {
    const file = await valuesFile(
      `null-${major}`,
      Object.fromEntries(Object.keys(parse(await helm(major, 'show', 'values', CHART)) as object).map((key) => [key, null])),
    );
    const release = await install(major, CHART);
    const before = await release.manifests();
    await release.helm('upgrade', CHART, '--reset-then-reuse-values', '--values', file);
    const after = await release.manifests();
    expect(after.map(titleOf)).toEqual(before.map(titleOf));
    expect(configOf(after)).toEqual(configOf(before));
    // What Kubernetes reads is gone when it is set to null.
    expect(at(only(after, 'DaemonSet'), 'spec.template.spec.nodeSelector')).toBeUndefined();
  });

  it('should keep false and 0, which are values', async () => {
    const sample = { enabled: true, sampleLimit: 0 };
    const file = await valuesFile('false', { service: { enabled: false }, monitoring: { podMonitor: sample } });
    const manifests = manifestsIn(await helm(3, 'template', 'x', CHART, '--values', file));
    expect(manifests.map(({ kind }) => kind)).not.toContain('Service');
    expect(at(only(manifests, 'PodMonitor'), 'spec.sampleLimit')).toBeUndefined();
  });

  it.each([3, 4] as const)('should be named by the schema where Helm hands them on as null (Helm %i)', async (major) => {
    await expect(helm(major, 'template', 'x', CHART, '--set', 'config.sources.libvirt=null')).rejects.toThrow(
      /\/config\/sources\/libvirt.*got null, want object/,
    );
  });
});

describe.each([3, 4] as const)('as a subchart, with Helm %i,', (major) => {
  it('should be installed and upgraded by values of its parent', async () => {
    const basekeeper = { fullnameOverride: 'basekeeper', config: { mode: 'enforce' } };
    const values = { global: { imageRegistry: 'mirror.example' }, basekeeper };
    const cloud = await chartWith(`cloud-${major}`, values);
    const subchart = join(cloud, 'charts', 'basekeeper');
    await cp(OLD_CHART, subchart, { recursive: true });
    const release = await install(major, cloud);
    await rm(subchart, { recursive: true });
    await cp(CHART, subchart, { recursive: true });

    await release.helm('upgrade', cloud, '--reuse-values');
    const reused = await release.manifests();
    expect(at(only(reused, 'DaemonSet'), IMAGE)).toBe(`mirror.example/basekeeper/basekeeper:${VERSION}`);
    expect(configOf(reused)).toMatchObject({ mode: 'enforce' });

    const nulls = { service: null, monitoring: null, createDirectories: null, nodeSelector: null };
    await writeFile(join(cloud, 'values.yaml'), stringify({ ...values, basekeeper: { ...basekeeper, ...nulls } }));
    await release.helm('upgrade', cloud, '--reset-then-reuse-values');
    const reset = await release.manifests();
    expect(configOf(reset)).toMatchObject({ mode: 'enforce' });
    expect(reset.map(titleOf)).toEqual(reused.map(titleOf));
  });
});
