import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { output } from './lib/command.ts';

const { imageArchive } = inject('cluster');
/** Where a shell would be. */
const SHELLS = /(?:^|\/)(?:sh|ash|bash|dash|zsh|ksh|busybox|toybox)$/;

/** The program with its parts and libraries, their licences, and the native lock module; scripts/build.ts says why each is there. */
const EXPECTED: readonly RegExp[] = [
  /^app\/LICENSE$/,
  /^app\/NOTICES\.txt$/,
  /^app\/basekeeper\.mjs$/,
  /^app\/chunk-[A-Z0-9]+\.mjs$/,
  /^app\/lazy-[a-z0-9-]+\.cjs$/,
  /^app\/[a-zA-Z0-9-]+\.[cm]js\.LEGAL\.txt$/,
  /^app\/fs-native-extensions\.node$/,
];

interface ImageConfig {
  readonly config: {
    readonly User: string;
    readonly Entrypoint: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
    readonly ExposedPorts: object;
  };
}

interface Entry {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Of a docker archive: its configuration and what each layer holds, the last one first. */
async function readArchive(archive: string): Promise<{ readonly config: ImageConfig; readonly layers: readonly (readonly Entry[])[] }> {
  const read = async (path: string) => output('tar', ['--extract', '--to-stdout', '--file', archive, path]);
  const [manifest] = JSON.parse(await read('manifest.json')) as [{ Config: string; Layers: string[] }];
  const config = JSON.parse(await read(manifest.Config)) as ImageConfig;
  const layers = await Promise.all(
    manifest.Layers.toReversed().map(async (layer) => {
      const list = 'tar --extract --to-stdout --file "$1" "$2" | tar --list --verbose --file -';
      return (await output('sh', ['-c', list, 'sh', archive, layer])).split('\n').flatMap(entryOf);
    }),
  );
  return { config, layers };
}

/** The text of a file of the last layer. */
async function readFromImage(archive: string, path: string): Promise<string> {
  const [manifest] = JSON.parse(await output('tar', ['--extract', '--to-stdout', '--file', archive, 'manifest.json'])) as [
    { Layers: string[] },
  ];
  const read = 'tar --extract --to-stdout --file "$1" "$2" | tar --extract --to-stdout --wildcards --file - "*$3"';
  return output('sh', ['-c', read, 'sh', archive, manifest.Layers.at(-1) ?? '', path]);
}

/** A line such as `-rwxr-xr-x root/root 1234 2026-01-02 03:04 app/basekeeper.mjs`. */
function entryOf(line: string): Entry[] {
  const [, type, size, path] = /^(.)\S+\s+\S+\s+(\d+)\s+\S+\s+\S+\s+(.*?)(?: (?:->|link to) .*)?$/.exec(line) ?? [];
  if (path === undefined || type === 'd') return [];
  return [{ path: path.replace(/^\.?\//, ''), sizeBytes: Number(size) }];
}

describe.runIf(imageArchive !== undefined)('the image', () => {
  it('should add to its base the program, the native lock module and their licences, and nothing else', async () => {
    const { layers } = await readArchive(imageArchive ?? '');
    const own = layers[0] ?? [];
    const names = own.map(({ path }) => path);
    expect(names).toEqual(
      expect.arrayContaining(['app/LICENSE', 'app/NOTICES.txt', 'app/basekeeper.mjs', 'app/fs-native-extensions.node']),
    );
    expect(names.filter((name) => !EXPECTED.some((pattern) => pattern.test(name)))).toEqual([]);
    const mebibytes = (entries: readonly Entry[]) => (entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / 2 ** 20).toFixed(1);
    console.log(`the image: ${mebibytes(layers.flat())} MiB of files, ${mebibytes(own)} MiB of them Basekeeper's`);
    expect(Number(mebibytes(own))).toBeLessThan(5);
  });

  it('should hold a notice for each package that is in its code, and for no other', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-inventory-'));
    const inventory = join(directory.path, 'inventory.json');
    const build = fileURLToPath(new URL('../../scripts/build.ts', import.meta.url));
    await output(process.execPath, [build, '--image', join(directory.path, 'app'), '--arch', 'amd64', '--inventory', inventory]);
    const packages = JSON.parse(readFileSync(inventory, 'utf8')) as readonly Readonly<Record<'name' | 'version' | 'license', string>>[];
    const notices = await readFromImage(imageArchive ?? '', 'app/NOTICES.txt');
    const chapters = [...notices.matchAll(/^(\S+@\S+ \(.+\))\n\n=+$/gm)].map(([, title]) => title);
    expect(packages.length).toBeGreaterThan(30);
    expect(chapters).toEqual(packages.map(({ name, version, license }) => `${name}@${version} (${license})`));
  });

  it('should hold no shell, no package manager and no node_modules', async () => {
    const { layers } = await readArchive(imageArchive ?? '');
    const paths = layers.flat().map(({ path }) => path);
    expect(paths).toContain('nodejs/bin/node');
    expect(
      paths.filter((path) => SHELLS.test(path) || /(?:^|\/)(?:npm|apt|apk|dpkg)$/.test(path) || path.includes('node_modules')),
    ).toEqual([]);
  });

  it('should run as a user that is a number and not root’s, and say what it is', async () => {
    const { config } = (await readArchive(imageArchive ?? '')).config;
    expect(config.User).toBe('65532:65532');
    expect(config.Entrypoint).toEqual([
      '/nodejs/bin/node',
      '--no-opt',
      '--no-maglev',
      '--no-sparkplug',
      '--max-semi-space-size=1',
      '--v8-pool-size=1',
      '--expose-gc',
      '/app/basekeeper.mjs',
    ]);
    expect(config.ExposedPorts).toHaveProperty(['9817/tcp']);
    const labels = ['title', 'description', 'licenses', 'version', 'revision'].map((key) => `org.opencontainers.image.${key}`);
    for (const label of labels) expect(config.Labels[label], label).toMatch(/\S/);
    expect(config.Labels['org.opencontainers.image.version']).toBe('e2e');
  });
});
