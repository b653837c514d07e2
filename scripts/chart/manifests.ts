/** The manifests for users without Helm: the rendered chart as a kustomize base, and an overlay for each mode. */
import { isMap, parseAllDocuments, parseDocument, stringify, type Document } from 'yaml';

export type Mode = 'dry-run' | 'enforce';

const HEADER = '# Generated from charts/basekeeper: npm run generate:chart\n';
const NAMESPACE = 'basekeeper';
const CONFIG = 'config.yaml';

/** File name below `manifests/` → content. `rendered`: what `helm template basekeeper --namespace basekeeper --no-hooks` prints. */
export function manifestFiles(rendered: string, configFor: (mode: Mode) => string): ReadonlyMap<string, string> {
  const resources = new Map([['namespace.yaml', `${HEADER}${stringify(namespace())}`]]);
  for (const [source, documents] of bySource(rendered)) {
    if (source === 'configmap.yaml') continue; // kustomize makes it, with a name that changes with the content
    resources.set(source, `${HEADER}${documents.map((document) => withoutHelm(document).toString({ lineWidth: 0 })).join('---\n')}`);
  }
  const files = new Map([
    ['base/kustomization.yaml', kustomization({ resources: [...resources.keys()].toSorted() }, 'create')],
    [`base/${CONFIG}`, configFor('dry-run')],
  ]);
  for (const [name, content] of resources) files.set(`base/${name}`, content);
  for (const mode of ['dry-run', 'enforce'] as const) {
    files.set(`overlays/${mode}/kustomization.yaml`, kustomization({ resources: ['../../base'] }, 'replace'));
    files.set(`overlays/${mode}/${CONFIG}`, configFor(mode));
  }
  return files;
}

function bySource(rendered: string): Map<string, Document[]> {
  const files = new Map<string, Document[]>();
  for (const part of rendered.split(/^---$/m).filter((it) => it.trim() !== '')) {
    const source = /^# Source: basekeeper\/templates\/(\S+)$/m.exec(part)?.[1];
    if (source === undefined) throw new Error(`helm template printed a document without its source:\n${part.slice(0, 200)}`);
    const documents = parseAllDocuments(part.replace(/^# Source: .*\n/m, ''));
    files.set(source, [...(files.get(source) ?? []), ...(documents as Document[])]);
  }
  return files;
}

/** Labels and annotations that say that Helm manages the object would be untrue. */
function withoutHelm(document: Document): Document {
  for (const path of [['metadata'], ['spec', 'template', 'metadata']]) {
    const metadata = document.getIn(path);
    if (!isMap(metadata)) continue;
    for (const [field, keys] of Object.entries(HELM_KEYS)) {
      const map = metadata.get(field);
      if (!isMap(map)) continue;
      for (const key of keys) map.delete(key);
      if (map.items.length === 0) metadata.delete(field);
    }
  }
  return parseDocument(document.toString({ lineWidth: 0 }).trimStart());
}
const HELM_KEYS = { labels: ['helm.sh/chart', 'app.kubernetes.io/managed-by'], annotations: ['checksum/config'] };

function namespace(): object {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    // The agent mounts host paths; what else it may do its security context says.
    metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
  };
}

function kustomization(more: object, behavior: 'create' | 'replace'): string {
  const generator = { name: 'basekeeper', namespace: NAMESPACE, behavior, files: [CONFIG] };
  return `${HEADER}${stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    ...more,
    configMapGenerator: [generator],
  })}`;
}
