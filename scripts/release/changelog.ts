/** What CHANGELOG.md says about one version, for the release notes and for Artifact Hub. */

/** The text below the version's heading, which may go on after the version (`## [0.2.0] - 2026-12-01`). Throws when there is none. */
export function changesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m);
  const section = sections.find((it) => it.startsWith(`[${version}]`));
  const text = section?.slice(section.indexOf('\n')).trim() ?? '';
  if (text === '') throw new Error(`CHANGELOG.md says nothing about ${version}: give it a section "## [${version}]" with what changed`);
  return text;
}

const KINDS = new Set(['added', 'changed', 'deprecated', 'removed', 'fixed', 'security']);

/** The entries as Artifact Hub has them: a kind and a sentence each. */
export function artifactHubChanges(changes: string): readonly { readonly kind: string; readonly description: string }[] {
  return changes.split(/^### /m).flatMap((part) => {
    const [title = '', ...lines] = part.split('\n');
    const kind = title.trim().toLowerCase();
    if (!KINDS.has(kind)) return [];
    const entries = `\n${lines.join('\n')}`.split(/\n- /).slice(1);
    return entries.map((entry) => ({
      kind,
      description: entry
        .replaceAll(/\s+/g, ' ')
        .replaceAll(/[`*]|\]\([^)]*\)|\[/g, '')
        .trim(),
    }));
  });
}
