import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { createPass } from '../../../src/wire/pass.ts';
import { hostReport } from '../../../src/shared-storage/host-report.ts';
import { sharedHost, sharedTree } from '../../helpers/shared-agents.ts';
import { workload } from '../../helpers/snapshot.ts';
import { DAY, type Tree } from '../../helpers/tree.ts';

const IMAGE = 'an image';
const FILE = createHash('sha1').update(IMAGE).digest('hex');

/** A pass on host-a, which nothing on it stands against; `meanwhile` happens between its plan and its removals. */
async function passWith(meanwhile: (tree: Tree) => void) {
  const tree = sharedTree({ [`_base/${FILE}`]: { content: 'base', ageSeconds: 3 * DAY } });
  const host = sharedHost(tree, 'host-a');
  host.workloads([{ name: 'vm-1' }]);
  const { config } = loadConfig({ text: readFileSync(host.configPath, 'utf8') });
  if (config === undefined) throw new Error('the configuration has mistakes');
  const pass = await createPass(config);
  const report = await pass.runPass({ dryRun: false, onStage: (stage) => stage === 'execute' && meanwhile(tree) });
  await pass.close();
  return { report, left: readdirSync(tree.basePath), outcome: [...report.files][0] };
}

function register(tree: Tree, host: string): void {
  const hosts = JSON.parse(readFileSync(tree.path('compute_nodes'), 'utf8')) as object;
  writeFileSync(tree.path('compute_nodes'), JSON.stringify({ ...hosts, [host]: Date.now() / 1000 }));
}

/** As the agent of host-b writes it. */
function tell(tree: Tree, images: readonly string[]): void {
  const status = { name: 'file', state: 'synced', lastContactMs: Date.now(), freshLimitMs: 60_000, consistentListAtMs: undefined } as const;
  const workloads = [workload({ name: 'vm-b', images: images.map((ref) => ({ role: 'image', ref })) })];
  const facts = {
    host: 'host-b',
    takenAtMs: Date.now(),
    onlyByReport: true,
    instancesPath: '/i',
    subdirectoryName: '_base',
    pins: { imageRefs: [], fileNames: [] },
  };
  const report = hostReport(facts, [{ status, workloads, gaps: [] }], Date.now());
  writeFileSync(tree.path('locks/basekeeper-host-host-b.json'), JSON.stringify(report));
}

describe('between the plan and a removal', () => {
  it('should remove what nobody has said anything about', async () => {
    expect(await passWith(() => undefined)).toMatchObject({ left: [], outcome: { outcome: 'removed' } });
  });

  it('should notice a host that has registered meanwhile, of which nothing is known', async () => {
    const { left, outcome } = await passWith((tree) => register(tree, 'host-b'));
    expect(left).toEqual([FILE]);
    expect(outcome).toMatchObject({ outcome: 'ChangedSincePlan' });
    expect(outcome?.outcomeMessage).toContain('HostWorkloadsUnknown: host "host-b": it has not reported');
  });

  it('should notice a host that has registered meanwhile and says that it uses the file', async () => {
    const { left, outcome } = await passWith((tree) => {
      register(tree, 'host-b');
      tell(tree, [IMAGE]);
    });
    expect(left).toEqual([FILE]);
    expect(outcome?.outcomeMessage).toContain('now used by vm-b on host host-b (image an image)');
  });

  it('should notice a registry that broke meanwhile', async () => {
    const { left, outcome } = await passWith((tree) => writeFileSync(tree.path('compute_nodes'), '{"host-a'));
    expect(left).toEqual([FILE]);
    expect(outcome?.outcomeMessage).toContain('StorageRegistryBroken');
  });
});
