import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART, ROOT } from '../../../scripts/chart/generated.ts';
import { at, render, type Manifest } from '../../helpers/helm.ts';

type Row = readonly string[];
interface Mount {
  readonly name: string;
  readonly readOnly?: boolean;
}
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const text = readFileSync(`${ROOT}docs/security.md`, 'utf8');
const RULE_ROW = 'what `config.sources.rules` names: list, watch';
/** Values under which everything that the chart can render is rendered, each by itself and with what its neighbours change. */
const MORE_VALUES: readonly object[] = [
  { config: { pins: { configMaps: { enabled: true } } } },
  { config: { sharedStorage: { enabled: true } } },
  { config: { sources: { libvirt: { enabled: true } } } },
];
/** What ci/everything-values.yaml adds by itself: the user's own, not ours to explain. */
const OF_THE_USER: ReadonlySet<string> = new Set(['extra', 'configmaps get']);

/** The rows of the table whose first column has this heading. */
function table(heading: string): readonly Row[] {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  expect(first, `the table of "${heading}"`).toBeGreaterThan(0);
  const rest = lines.slice(first + 2);
  const rows = rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith('|')),
  );
  return rows.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

let rendered: readonly Manifest[];

beforeAll(async () => {
  const files = await Promise.all(
    (await readdir(`${CHART}/ci`)).map(async (file) => (parse(await readFile(`${CHART}/ci/${file}`, 'utf8')) ?? {}) as object),
  );
  rendered = (await Promise.all([...files, ...MORE_VALUES].map((values) => render(values)))).flat();
});

/** Such as `events.events.k8s.io: create, patch`. Rights on nodes are rows of their own for reading and for writing, as each has its reason. */
function rightsOf(manifest: Manifest): string[] {
  const isHook = manifest.metadata.annotations?.['helm.sh/hook'] !== undefined;
  return (manifest['rules'] as readonly Rule[]).flatMap(({ apiGroups, resources, verbs }) => {
    const [group = '', resource] = [apiGroups[0], resources.join(', ')];
    const name = group === '' ? resource : `${resource}.${group}`;
    if (OF_THE_USER.has(`${name} ${verbs.join()}`)) return [];
    if (manifest.metadata.name.endsWith('-rules') || group.endsWith('example.com')) return [RULE_ROW];
    if (name === 'nodes' && !isHook) {
      const reading = verbs.filter((verb) => verb !== 'patch').join(', ');
      return [`nodes: ${reading}`, ...(verbs.includes('patch') ? ['nodes: patch'] : [])];
    }
    return [`${name}: ${verbs.join(', ')}`];
  });
}

describe('docs/security.md', () => {
  it('should have a row for each right that the chart grants, and for no other', () => {
    const granted = rendered.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role').flatMap(rightsOf);
    expect([...new Set(granted)].toSorted()).toEqual(
      table('right')
        .map(([right = '']) => right)
        .toSorted(),
    );
  });

  it('should have a row for each capability that the chart adds, and for no other', () => {
    const added = daemonSets().flatMap((agent) => (at(agent, 'securityContext.capabilities.add') ?? []) as string[]);
    expect([...new Set(added)].toSorted()).toEqual(
      table('capability')
        .map(([capability = '']) => capability)
        .toSorted(),
    );
  });

  it('should have a row for each mount of the agent, which says whether it may write there', () => {
    const mounts = daemonSets().flatMap((agent) => at(agent, 'volumeMounts') as readonly (Mount & { readonly subPath?: string })[]);
    const found = new Set(
      mounts
        .filter(({ name }) => !OF_THE_USER.has(name))
        // A path below the instances path is what a volume of its own is elsewhere.
        .map(
          ({ name, subPath, readOnly }) => `${subPath?.replace('_base', 'base') ?? name} ${readOnly === true ? 'read-only' : 'writable'}`,
        ),
    );
    const documented = table('mount').flatMap(([names = '', how = '']) =>
      [...(names.split(':')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => `${name} ${/^[a-z-]+/.exec(how)?.[0]}`),
    );
    expect([...found].toSorted()).toEqual(documented.toSorted());
  });

  it.each(['right', 'capability', 'mount'])('should name in each row of the table of the %s a test that exists', (heading) => {
    const inHeading = /`(test\/[^`]+)`/.exec(text.split('\n').find((line) => line.startsWith(`| ${heading} |`)) ?? '')?.[1];
    for (const row of table(heading)) {
      const last = row.at(-1) ?? '';
      const file = /`(test\/[^`]+)`/.exec(last)?.[1] ?? inHeading;
      const titles = [...last.matchAll(/"(should [^"]+)"/g)].map(([, title]) => title ?? '');
      expect(titles, row[0]).not.toEqual([]);
      for (const title of titles) expect(hasTest(`${ROOT}${file}`, title), `${file}: ${title}`).toBe(true);
    }
  });

  it('should name no test anywhere that does not exist', () => {
    const files = [...new Set([...text.matchAll(/`(test\/[^`]+\.test\.ts)`/g)].map(([, file]) => `${ROOT}${file}`))];
    const titles = [...text.matchAll(/"(should [^"]+)"/g)].map(([, title = '']) => title.replaceAll(/\s+/g, ' '));
    expect(titles.length).toBeGreaterThan(10);
    for (const title of titles)
      expect(
        files.some((file) => hasTest(file, title)),
        title,
      ).toBe(true);
  });
});

function hasTest(file: string, title: string): boolean {
  return readFileSync(file, 'utf8').includes(`('${title}'`);
}

function daemonSets(): unknown[] {
  return rendered.filter(({ kind }) => kind === 'DaemonSet').map((manifest) => at(manifest, 'spec.template.spec.containers.0'));
}
