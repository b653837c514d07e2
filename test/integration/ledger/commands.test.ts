import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LedgerAudit } from '../../../src/model/ledger/audit.ts';
import { cacheFileName } from '../../../src/model/names.ts';
import { basekeeper } from '../../helpers/basekeeper.ts';
import { ledgerOf } from '../../helpers/read-ledger.ts';
import { buildTree, DAY } from '../../helpers/tree.ts';

const USED = cacheFileName('image-used');
const OLD = Array.from({ length: 70 }, (_, index) => cacheFileName(`image-${index}`));

interface History {
  readonly items: readonly {
    readonly name: string;
    readonly outcome?: string;
    readonly action: string;
    readonly askedBy: string;
    readonly evidence: number;
  }[];
  readonly evidence: readonly {
    readonly seq: number;
    readonly sources: readonly { readonly name: string; readonly workloads: number }[];
  }[];
}

/** A directory of instances that the shipped program has cleaned, by passes as they are asked for. */
function world(settings: object = {}) {
  const files = Object.fromEntries(OLD.map((name) => [`_base/${name}`, { content: name, ageSeconds: 9 * DAY }]));
  const tree = buildTree({ ...files, [`_base/${USED}`]: { content: 'used', ageSeconds: 9 * DAY }, locks: { directory: true } });
  onTestFinished(tree.cleanup);
  const [workloads, config] = [tree.path('../workloads.yaml'), tree.path('../config.yaml')];
  writeFileSync(workloads, 'workloads: [{name: instance-00000001, imageRef: image-used}]\n');
  writeFileSync(config, JSON.stringify({ nodeName: 'node-1', mode: 'enforce', maxRemovalsPerPass: 0, ...settings }));
  const options = ['--config', config, '--instances-path', tree.instancesPath, '--workloads', workloads];
  const run = (command: string, ...more: string[]) => basekeeper([command, ...options, ...more]);
  const json = async <T>(command: string, ...more: string[]): Promise<T> =>
    JSON.parse((await run(command, '-o', 'json', ...more)).stdout) as T;
  return { tree, run, json, ledger: ledgerOf(tree.instancesPath) };
}

describe('the ledger of a pass of the shipped program', () => {
  it('should have each file that it removed, on what evidence, and who asked', async () => {
    const { run, json, tree } = world();
    expect(await run('history')).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no ledger in') as string });
    expect(await run('pass')).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(tree.basePath)).toEqual([USED]);
    const { items, evidence } = await json<History>('history');
    expect(items.map(({ name }) => name).toSorted()).toEqual(OLD.toSorted());
    expect(new Set(items.map(({ outcome, action, askedBy }) => `${outcome} ${action} ${askedBy}`))).toEqual(
      new Set([`removed unlink command of user ${process.getuid?.()}`]),
    );
    expect(evidence.map(({ seq }) => seq)).toEqual([...new Set(items.map((item) => item.evidence))]);
    expect(evidence[0]?.sources).toMatchObject([{ name: 'file', workloads: 1 }]);
    const one = await run('history', '--image', 'image-7');
    expect(one.stdout).toMatch(new RegExp(`removed +${OLD[7]} .* Unused +command of user`));
    expect(one.stdout).toContain('1 record: 1 removed');
  });

  it('should be whole, until somebody changes it', async () => {
    const { run, json, ledger } = world({ trash: { enabled: true } });
    await run('pass');
    const audit = await json<LedgerAudit>('audit');
    expect(audit).toMatchObject({ problems: [], notes: [], passes: 1, intents: OLD.length, outcomes: { trashed: OLD.length } });
    const head = `${audit.last?.seq}:${audit.last?.hash}`;
    expect(await run('audit', '--head', head)).toMatchObject({ code: 0, stderr: '' });
    const path = join(ledger, 'ledger-000001.jsonl');
    const whole = readFileSync(path);
    writeFileSync(path, whole.toString('latin1').replace(OLD[3] ?? '', OLD[4] ?? ''), 'latin1');
    const changed = await run('audit', '--head', head);
    expect(changed.code).toBe(1);
    expect(changed.stdout).toMatch(/^RecordChanged: ledger-000001\.jsonl line \d+: record \d+ is not the one that record \d+ names/);
    writeFileSync(path, whole);
    expect((await run('audit')).code).toBe(0);
  });

  it('should be absent after a dry run, and be read from a copy', async () => {
    const { run, ledger } = world();
    await run('pass', '--dry-run');
    expect((await run('audit')).code).toBe(1);
    await run('pass');
    expect(await basekeeper(['audit', '--ledger', ledger])).toMatchObject({ code: 0, stderr: '' });
  });
});
