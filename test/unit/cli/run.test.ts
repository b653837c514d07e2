import { describe, expect, it } from 'vitest';
import { heldReport, plannedFile, removableFile, report, undecidedReport } from '../../helpers/reports.ts';
import { runCommandLine } from '../../helpers/command-line.ts';

describe('basekeeper plan', () => {
  it('should print the plan of a dry run, without outcomes', async () => {
    const of = report({ files: [removableFile()], result: 'DryRun' });
    const { code, stdout, stderr, passes, closed } = await runCommandLine(['plan', '--output', 'json'], { report: of });
    expect({ code, stderr, closed }).toEqual({ code: 0, stderr: '', closed: 1 });
    expect(passes.map(({ run }) => run.dryRun)).toEqual([true]);
    const plan = JSON.parse(stdout) as object;
    expect(plan).toMatchObject({ kind: 'Plan', files: [{ verdict: 'remove' }] });
    expect(plan).not.toHaveProperty('result');
    expect(stdout).not.toContain('outcome');
  });

  it('should print a table unless told otherwise, as wide as the terminal', async () => {
    const files = [plannedFile({ usedBy: [{ by: 'x'.repeat(200), through: 'image', value: 'i' }] })];
    const piped = await runCommandLine(['plan'], { report: report({ files }) });
    const env = { NODE_NAME: 'n', NO_COLOR: '1' };
    const shown = await runCommandLine(['plan'], { report: report({ files }), terminal: { columns: 100 }, env });
    const longest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));
    expect(longest(piped.stdout)).toBeGreaterThan(200);
    expect(longest(shown.stdout)).toBeLessThanOrEqual(100);
  });

  it.each([
    ['on a terminal', { terminal: { columns: 80 } }, true],
    ['on a terminal with NO_COLOR', { terminal: { columns: 80 }, env: { NODE_NAME: 'n', NO_COLOR: '1' } }, false],
    ['on a dumb terminal', { terminal: { columns: 80 }, env: { NODE_NAME: 'n', TERM: 'dumb' } }, false],
    ['in a pipe', {}, false],
    ['in a pipe with FORCE_COLOR', { env: { NODE_NAME: 'n', FORCE_COLOR: '1' } }, true],
    ['on a terminal with FORCE_COLOR=0', { terminal: { columns: 80 }, env: { NODE_NAME: 'n', FORCE_COLOR: '0' } }, false],
  ])('should colour %s as people expect', async (_where, world, coloured) => {
    const { stdout } = await runCommandLine(['plan'], world);
    expect(stdout.includes('\u001B[')).toBe(coloured);
  });

  it('should end with 3 when removals are held', async () => {
    const { code, stdout } = await runCommandLine(['plan'], { report: heldReport() });
    expect(code).toBe(3);
    expect(stdout).toContain('held: SourceNotSynced');
  });

  it('should end with 1 and print nothing when there is no plan', async () => {
    const { code, stdout, stderr, closed } = await runCommandLine(['plan'], { report: undecidedReport('Failed', 'EACCES: _base') });
    expect({ code, stdout, stderr, closed }).toEqual({ code: 1, stdout: '', stderr: 'basekeeper: no plan: EACCES: _base\n', closed: 1 });
  });

  it('should end with 1 when the pass throws, and close what was opened', async () => {
    const failing = () => {
      throw new Error('no credentials', { cause: new Error('EACCES') });
    };
    const { code, stderr, closed } = await runCommandLine(['plan'], { report: failing });
    expect({ code, stderr, closed }).toEqual({ code: 1, stderr: 'basekeeper: no credentials: EACCES\n', closed: 1 });
  });
});

describe('basekeeper pass', () => {
  it('should enforce, whatever the agent does, and print the report', async () => {
    const of = report({ files: [removableFile({ outcome: 'removed' })] });
    const { code, stdout, passes } = await runCommandLine(['pass', '--output', 'json'], { report: of });
    expect(code).toBe(0);
    expect(passes.map(({ run, config }) => [run.dryRun, config.mode])).toEqual([[false, 'dry-run']]);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'Report', result: 'Succeeded', files: [{ outcome: 'removed' }] });
  });

  it('should be the same as plan with --dry-run', async () => {
    const [pass, plan] = await Promise.all([runCommandLine(['pass', '--dry-run']), runCommandLine(['plan'])]);
    expect({ ...pass, passes: [] }).toEqual({ ...plan, passes: [] });
    expect(pass.passes.map(({ run }) => run.dryRun)).toEqual([true]);
  });

  it.each([
    [report(), 0],
    [heldReport(), 3],
    [report({ result: 'Failed', message: 'x' }), 1],
  ])('should end by its result (%#)', async (of, expected) => {
    const { code, stdout } = await runCommandLine(['pass'], { report: of });
    expect(code).toBe(expected);
    expect(stdout).toContain(`${of.result} in `);
  });

  it('should hand the signal of the process to the pass', async () => {
    const ended = AbortSignal.abort();
    const { passes } = await runCommandLine(['pass'], { signal: ended });
    expect(passes[0]?.run.signal).toBe(ended);
  });
});

describe('a workloads file that cannot be used', () => {
  const sources = [
    { name: 'file', state: 'failed', workloads: 0, gaps: 1, message: 'workloads file /w.yaml: line 2: name is missing' },
  ] as const;

  it('should be a wrong option, not a held pass', async () => {
    const { code, stdout, stderr } = await runCommandLine(['plan', '--workloads', '/w.yaml'], { report: { ...heldReport(), sources } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe('basekeeper: cannot use the workloads file /w.yaml: line 2: name is missing; check --workloads\n');
  });

  it('should hold the pass where it is one of several sources', async () => {
    const more = [...sources, { name: 'libvirt', state: 'synced', workloads: 1, gaps: 0 }] as const;
    expect(await runCommandLine(['plan', '--workloads', '/w.yaml'], { report: { ...heldReport(), sources: more } })).toMatchObject({
      code: 3,
    });
    expect(await runCommandLine(['plan'], { report: { ...heldReport(), sources } })).toMatchObject({ code: 3 });
  });
});

describe('options', () => {
  it('should take the workloads from a file and ask no cluster, whose node name nobody needs then', async () => {
    const { code, passes } = await runCommandLine(['plan', '--workloads', 'w.yaml', '--instances-path', 'vms'], { env: {} });
    expect(code).toBe(0);
    expect(passes[0]?.config).toMatchObject({
      instancesPath: `${process.cwd()}/vms`,
      basePath: `${process.cwd()}/vms/_base`,
      annotations: false,
      events: false,
      sources: { pods: { enabled: false }, virtualMachineInstances: { enabled: false }, file: { path: `${process.cwd()}/w.yaml` } },
    });
  });

  it('should switch off every other source for --workloads, those of later versions too', async () => {
    const { stdout } = await runCommandLine(['config', 'show', '--output', 'json', '--workloads', 'w.yaml']);
    const { sources } = JSON.parse(stdout) as { sources: Record<string, { enabled?: boolean } | []> };
    const others = Object.entries(sources).filter(([name]) => name !== 'file');
    expect(others.filter(([, source]) => (Array.isArray(source) ? source.length > 0 : source.enabled !== false))).toEqual([]);
    expect(Object.keys(sources)).toContain('file');
  });

  it('should let --node win over $NODE_NAME', async () => {
    const { passes } = await runCommandLine(['plan', '--node', 'other']);
    expect(passes[0]?.config.nodeName).toBe('other');
  });
});

describe('basekeeper config', () => {
  it('should say that a configuration is valid', async () => {
    const ran = await runCommandLine(['config', 'check']);
    expect(ran).toMatchObject({ code: 0, stdout: 'the configuration is valid\n', stderr: '', wired: 0 });
  });

  it('should print the JSON Schema', async () => {
    const { code, stdout } = await runCommandLine(['config', 'schema']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' });
  });

  it('should show what counts and where it comes from', async () => {
    const { stdout } = await runCommandLine(['config', 'show', '--instances-path', '/srv/vms']);
    expect(stdout).toContain('\nnodeName: node-1 # $NODE_NAME\ninstancesPath: /srv/vms # --instances-path\n');
    expect(stdout).toContain('\nlocksPath: /srv/vms/locks\n');
  });

  it('should show it as JSON as well', async () => {
    const { stdout } = await runCommandLine(['config', 'show', '--output', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ preset: 'safe', http: { port: 9817 } });
  });
});

describe('basekeeper agent', () => {
  it('should run until it is told to stop', async () => {
    const ended = new AbortController();
    const ran = runCommandLine(['agent'], {
      signal: ended.signal,
      agent: async (_config, signal) => {
        const told = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        ended.abort();
        await told;
      },
    });
    expect(await ran).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('should keep the stack of a mistake of ours, and only that of ours', async () => {
    const broken = await runCommandLine(['agent'], { agent: () => Promise.reject(new TypeError('x is undefined')) });
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/^basekeeper: TypeError: x is undefined\n +at /);
    const refused = await runCommandLine(['agent'], { agent: () => Promise.reject(new Error('port 9817 is taken')) });
    expect(refused).toMatchObject({ code: 1, stderr: 'basekeeper: port 9817 is taken\n' });
  });
});

describe('basekeeper version', () => {
  it.each([['version'], ['--version']])('should print name and version for %s', async (argument) => {
    expect(await runCommandLine([argument])).toMatchObject({ code: 0, stdout: 'basekeeper 0.0.0-dev\n', stderr: '', wired: 0 });
  });
});

describe('basekeeper explain', () => {
  it('should compute the answer from the workloads', async () => {
    const { code, stdout, passes } = await runCommandLine(['explain', 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0', '--workloads', 'w.yaml']);
    expect(code).toBe(0);
    expect(passes.map(({ run }) => run.dryRun)).toEqual([true]);
    expect(stdout).toContain('ReferencedByWorkload');
    expect(stdout).not.toContain('kept');
  });

  it('should print JSON as well', async () => {
    const argv = ['explain', '0d5e6b61602d758984b3bf038267614d6016eb2a', '--workloads', 'w.yaml', '--output', 'json'];
    const { stdout } = await runCommandLine(argv);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'Explanation', files: [{ reason: 'ReferencedByWorkload' }] });
  });

  it('should say on stderr that nothing belongs to an image, with its digest', async () => {
    const { code, stdout, stderr } = await runCommandLine(['explain', 'unknown', '--workloads', 'w.yaml']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/no base file in \S+ or its trash has this name or belongs to this image \(sha1 [0-9a-f]{40}\)\n$/);
  });

  it('should end with 1 when the pass failed', async () => {
    const { code, stderr } = await runCommandLine(['explain', 'x', '--workloads', 'w'], { report: undecidedReport('Failed', 'EACCES') });
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'basekeeper: nothing to explain: EACCES\n' });
  });
});

describe('basekeeper prepare', () => {
  it('should say which directories it has made and which were there', async () => {
    const { code, stdout, stderr, passes } = await runCommandLine(['prepare', '--instances-path', '/srv/nova']);
    expect({ code, stderr, passes }).toEqual({ code: 0, stderr: '', passes: [] });
    expect(stdout).toBe('/srv/nova/_base was missing and has been made\n/srv/nova/locks is there\n');
  });
});

describe('basekeeper cleanup', () => {
  it('should say how many nodes it cleaned', async () => {
    const { code, stdout, stderr } = await runCommandLine(['cleanup'], { cleanup: { cleaned: ['a', 'b'], failed: new Map() } });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '2 nodes had annotations of Basekeeper; they are removed\n', stderr: '' });
  });

  it('should end with 1 and name the nodes that it could not clean', async () => {
    const { code, stderr } = await runCommandLine(['cleanup'], { cleanup: { cleaned: [], failed: new Map([['a', 'Forbidden']]) } });
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'basekeeper: node a: Forbidden\n' });
  });
});

describe('basekeeper restore', () => {
  const OFF = '/var/lib/nova/instances/_base';

  it('should ask for the file by its last name, with a configuration that needs no cluster', async () => {
    const asked: string[] = [];
    const restored = (wanted: string) => {
      asked.push(wanted);
      return { outcome: 'restored' as const, name: 'swap_1' };
    };
    const ran = await runCommandLine(['restore', `${OFF}/swap_1.5`], { restored, env: {} });
    expect(ran).toMatchObject({ code: 0, stdout: 'restored swap_1\n', stderr: '' });
    expect(asked).toEqual(['swap_1.5']);
  });

  it.each([
    [{ outcome: 'NotInTrash' as const }, `it is not in the trash of ${OFF}`],
    [{ outcome: 'kept' as const, message: 'There is one.' }, 'was not restored: There is one.'],
    [{ outcome: 'RestoreFailed' as const, message: 'EXDEV' }, 'RestoreFailed: EXDEV'],
    [{ outcome: 'AlreadyGone' as const }, 'somebody else took it'],
    [{ outcome: 'Abandoned' as const }, 'Abandoned: it was interrupted'],
  ])('should say why a file was not restored: %j', async (answer, words) => {
    const { code, stderr } = await runCommandLine(['restore', 'swap_1'], { restored: () => answer });
    expect([code, stderr]).toEqual([1, expect.stringContaining(words)]);
  });

  it('should list the trash, with names that deceive no terminal', async () => {
    const trash = [{ entry: 'swap_1.5\u001b[2J', trashedAtMs: 5 }];
    expect((await runCommandLine(['restore', '--list'], { trash })).stdout).toBe(
      'NAME               TRASHED\nswap_1.5\\u{1b}[2J  1970-01-01T00:00:00.005Z\n',
    );
  });
});
