import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asAdmin, startKubeServer, type KubeServer } from '../helpers/kube-server.ts';
import { written } from '../helpers/plugin.ts';
import { plannedFile, report } from '../helpers/reports.ts';

const NODES = 5000;
/** As many as fit into a node's annotation. */
const IMAGES = 100;
const GOAL_SECONDS = 2;
const GOAL_MIB = 100;

/** What nodes of a cloud have besides: some two kilobytes of labels and as many of annotations. */
const OTHERS = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`feature.example.com/some-capability-${n}`, 'x'.repeat(50)]));

const nameOf = (index: number): string => index.toString(16).padStart(8, '0').padEnd(40, '0');
const RARE = nameOf(IMAGES);

let server: KubeServer;

beforeAll(async () => {
  server = await startKubeServer();
  const files = Array.from({ length: IMAGES }, (_, index) => plannedFile({ name: nameOf(index) }));
  const usual = written(report({ files }));
  const rare = written(report({ files: [...files.slice(1), plannedFile({ name: RARE })] }));
  const names = Array.from({ length: NODES }, (_, index) => index).values();
  const worker = async (): Promise<void> => {
    for (const index of names) {
      const annotations = index % 1000 === 7 ? rare : usual;
      const metadata = { name: `node-${index}`, annotations: { ...OTHERS, ...annotations }, labels: OTHERS };
      await asAdmin(server, 'POST', '/api/v1/nodes', { metadata });
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}, 120_000);
afterAll(async () => {
  await server?.stop();
});

/** The shipped plugin, with the time and the memory that its process took. */
async function where(...args: readonly string[]): Promise<{ stdout: string; seconds: number; peakMib: number }> {
  const command = [process.execPath, resolve('dist/kubectl-basekeeper.js'), 'where', ...args];
  const env = { ...process.env, KUBECONFIG: server.kubeconfigPath, NO_COLOR: '1' };
  return new Promise((done, fail) => {
    execFile('/usr/bin/time', ['-f', '%e %U %S %M', ...command], { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error !== null) return fail(new Error(stderr, { cause: error }));
      const [, user = 0, system = 0, kib = 0] = stderr.trim().split(' ').map(Number);
      // A busy machine lengthens the time on the clock, not the work.
      done({ stdout, seconds: user + system, peakMib: kib / 1024 });
    });
  });
}

describe('kubectl basekeeper where on 5,000 nodes of a real API server', () => {
  it(`should find an image by one list, within ${GOAL_SECONDS} s of work and ${GOAL_MIB} MiB`, async () => {
    const { stdout, seconds, peakMib } = await where(RARE);
    expect(stdout).toMatch(/\nnode-7 +used .*\nnode-1007 +used /);
    expect(stdout).toContain(`5 of ${NODES} nodes have files of ${RARE} (5 used).`);
    expect(seconds).toBeLessThan(GOAL_SECONDS);
    expect(peakMib).toBeLessThan(GOAL_MIB);
  });

  it('should name every node where all have it, within the same', async () => {
    const { stdout, seconds, peakMib } = await where(nameOf(1), '-o', 'name');
    expect(stdout.trimEnd().split('\n')).toHaveLength(NODES);
    expect(seconds).toBeLessThan(GOAL_SECONDS);
    expect(peakMib).toBeLessThan(GOAL_MIB);
  });
});
