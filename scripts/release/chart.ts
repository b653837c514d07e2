/** The chart as it is published: that of the source, with the registry that the release goes to and with what Artifact Hub shows. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { artifactHubChanges } from './changelog.ts';
import type { Release } from './release.ts';
import { tarGz } from './tar.ts';

/** What helm package would leave out by charts/basekeeper/.helmignore, and that file itself. */
const LEFT_OUT = [/^ci\//, /\.md\.gotmpl$/, /^\.helmignore$/];

/** The chart's archive. `root`: the project's, with "/" at its end. */
export async function chartArchive(root: string, release: Release): Promise<Buffer> {
  const directory = `${root}charts/basekeeper`;
  const paths = globSync('**/*', { cwd: directory }).filter(
    (path) => statSync(join(directory, path)).isFile() && !LEFT_OUT.some((pattern) => pattern.test(path)),
  );
  const edits: Readonly<Record<string, (text: string) => string>> = {
    'Chart.yaml': (text) => withArtifactHubData(text, release),
    'values.yaml': (text) => withRegistry(text, release.registry),
  };
  const files = paths.map((path) => {
    const content = readFileSync(join(directory, path));
    return { path: `basekeeper/${path}`, content: Buffer.from(edits[path]?.(content.toString('utf8')) ?? content) };
  });
  return tarGz(files, release.epochSeconds);
}

function withArtifactHubData(text: string, release: Release): string {
  const document = parseDocument(text);
  document.set('home', release.source);
  document.set('sources', [release.source]);
  const annotation = (name: string, value: unknown) => {
    document.setIn(['annotations', `artifacthub.io/${name}`], typeof value === 'string' ? value : stringify(value, { lineWidth: 0 }));
  };
  annotation('changes', artifactHubChanges(release.changes));
  annotation('images', [
    { name: 'basekeeper', image: `${release.registry}/basekeeper:${release.version}`, platforms: ['linux/amd64', 'linux/arm64'] },
  ]);
  annotation('prerelease', String(release.version.includes('-')));
  return document.toString({ lineWidth: 0 });
}

/** The one thing that a user would have to fill in: whence the image comes. Comments stay where they are. */
function withRegistry(text: string, registry: string): string {
  const [host = '', ...path] = registry.split('/');
  const document = parseDocument(text);
  document.setIn(['image', 'registry'], host);
  document.setIn(['image', 'repository'], [...path, 'basekeeper'].join('/'));
  return document.toString({ lineWidth: 0 });
}
