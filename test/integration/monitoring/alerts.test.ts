import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';

const RULES = resolve('manifests/prometheus/basekeeper.rules.yaml');
const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'basekeeper-alerts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface Check {
  readonly eval_time: string;
  readonly alertname: string;
  readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
}
interface Case {
  readonly name: string;
  readonly alert_rule_test: readonly Check[];
}

const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const cases = (parse(readFileSync('test/fixtures/prometheus/alerts.yaml', 'utf8')) as { tests: Case[] }).tests;
const severityOf = (alert: string) => rules.find((rule) => rule.alert === alert)?.labels['severity'] ?? '';

/** promtool wants every annotation spelt out; what is judged here is who fires when, so that the copy of the rules has none. */
async function testRules(tests: readonly Case[]): Promise<string> {
  const bare = groups.map((group) => ({ ...group, rules: group.rules.map(({ annotations: _annotations, ...rule }) => rule) }));
  writeFileSync(join(directory, 'rules.yaml'), stringify({ groups: bare }));
  const complete = tests.map((test) => ({
    ...test,
    alert_rule_test: test.alert_rule_test.map((check) => ({
      ...check,
      exp_alerts: check.exp_alerts.map(({ exp_labels }) => ({ exp_labels: { severity: severityOf(check.alertname), ...exp_labels } })),
    })),
  }));
  writeFileSync(join(directory, 'tests.yaml'), stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: complete }));
  return (await run('promtool', ['test', 'rules', join(directory, 'tests.yaml')])).stdout;
}

describe('the alerts', () => {
  it('should leave promtool nothing to find fault with', async () => {
    expect((await run('promtool', ['check', 'rules', RULES])).stdout).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  it.each(cases.map((test) => [test.name, test] as const))('should fire, or not, as they say: %s', async (_name, test) => {
    expect(await testRules([test])).toContain('SUCCESS');
  });

  it.each(rules)('should be tried firing and not firing: $alert', ({ alert }) => {
    const checks = cases.flatMap((test) => test.alert_rule_test).filter(({ alertname }) => alertname === alert);
    expect(checks.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
    expect(checks.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
  });

  it.each(rules)('should say what happened, how bad it is, and what to do: $alert', ({ alert, labels, annotations }) => {
    expect(['info', 'warning', 'critical']).toContain(labels['severity']);
    expect(annotations['summary']).toContain('{{ $labels.node }}');
    expect(annotations['description']).toMatch(/\.$/);
    const runbook = readFileSync('docs/runbook.md', 'utf8');
    const section = runbook.split(/^## /m).find((text) => text.startsWith(`${alert}\n`));
    expect(section).toMatch(/\*\*What it means\.\*\* \S[^]*\*\*What to look at\.\*\* \S[^]*\*\*What to do\.\*\* \S/);
  });
});
