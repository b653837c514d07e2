import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { GENERATED_DOCS } from '../../../scripts/lib/generated-docs.ts';
import { formatConfigError, loadConfig } from '../../../src/config/load.ts';

describe('generated documents', () => {
  it.each(Object.entries(GENERATED_DOCS))('should be up to date: %s (npm run docs)', (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text());
  });
});

describe('docs/configuration.md', () => {
  const doc = readFileSync('docs/configuration.md', 'utf8');

  it('should show an example that is a valid configuration', () => {
    const example = /```yaml\n([^]*?)```/.exec(doc)?.[1] ?? '';
    expect(Object.keys(parse(example) as object)).toContain('mode');
    expect((loadConfig({ text: example, env: { NODE_NAME: 'node-1' } }).errors ?? []).map(formatConfigError)).toEqual([]);
  });

  it('should describe each key once', () => {
    const keys = [...doc.matchAll(/^\| `([\w.[\]]+)` \|.*\|.*\|.*\|$/gm)].map((match) => match[1]);
    expect(keys.length).toBeGreaterThan(45);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toEqual(
      expect.arrayContaining(['mode', 'sources.pods.selector.matchExpressions[].operator', 'exemptPods[].namespace', 'http.port']),
    );
  });
});
