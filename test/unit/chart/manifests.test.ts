import { describe, expect, it } from 'vitest';
import { manifestFiles } from '../../../scripts/chart/manifests.ts';

const RENDERED = `---
# Source: basekeeper/templates/configmap.yaml
kind: ConfigMap
---
# Source: basekeeper/templates/service.yaml
# Why it is there.
kind: Service
metadata:
  name: a
  labels:
    helm.sh/chart: x
    app.kubernetes.io/managed-by: Helm
    kept: "1"
---
# Source: basekeeper/templates/service.yaml
kind: Service
metadata:
  name: b
  labels: {helm.sh/chart: x}
spec:
  template:
    metadata:
      annotations: {checksum/config: abc, kept: "1"}
`;

describe('manifestFiles', () => {
  const files = manifestFiles(RENDERED, (mode) => `mode: ${mode}\n`);

  it('should put each template’s objects into one file, with their comments and without what only Helm needs', () => {
    expect(files.get('base/service.yaml')).toBe(
      '# Generated from charts/basekeeper: npm run generate:chart\n# Why it is there.\nkind: Service\nmetadata:\n  name: a\n  labels:\n    kept: "1"\n' +
        '---\nkind: Service\nmetadata:\n  name: b\nspec:\n  template:\n    metadata:\n      annotations: { kept: "1" }\n',
    );
  });

  it('should leave the configuration to kustomize, in the mode of each overlay', () => {
    expect([...files.keys()].toSorted()).toEqual([
      'base/config.yaml',
      'base/kustomization.yaml',
      'base/namespace.yaml',
      'base/service.yaml',
      'overlays/dry-run/config.yaml',
      'overlays/dry-run/kustomization.yaml',
      'overlays/enforce/config.yaml',
      'overlays/enforce/kustomization.yaml',
    ]);
    expect(files.get('base/config.yaml')).toBe('mode: dry-run\n');
    expect(files.get('overlays/enforce/config.yaml')).toBe('mode: enforce\n');
    expect(files.get('base/kustomization.yaml')).toContain('resources:\n  - namespace.yaml\n  - service.yaml\n');
  });

  it('should refuse a document that does not say which template it is from', () => {
    expect(() => manifestFiles('---\nkind: Service\n', String)).toThrow('without its source');
  });
});
