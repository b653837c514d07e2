import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KNOWN_AGENTS } from '../../../src/config/known-agents.ts';
import type { LabelSelector } from '../../../src/model/label-selector.ts';

describe('the known agents', () => {
  it('should be those that docs/neighbours.md lists', () => {
    const rows = readFileSync('docs/neighbours.md', 'utf8').split('## Known agents')[1]?.split('\n## ')[0]?.split('\n') ?? [];
    const listed = rows.filter((row) => row.startsWith('| ')).slice(1);
    const cells = KNOWN_AGENTS.map(({ name, selector, hostPaths }) => {
      const { matchLabels = {}, matchExpressions = [] } = selector as LabelSelector;
      const labels = Object.entries(matchLabels).map(([key, value]) => `\`${key}: ${value}\``);
      const among = matchExpressions.map(
        ({ key, values }) => `\`${key}\`: one of ${(values ?? []).map((value) => `\`${value}\``).join(', ')}`,
      );
      return `| ${name} | ${[...labels, ...among].join(', ')} | ${hostPaths.map((path) => `\`${path}\``).join(', ')} |`;
    });
    expect(listed).toEqual(cells);
  });
});
