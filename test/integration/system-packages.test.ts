import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureSystemPackages, missingPackages, SYSTEM_PACKAGES, type SystemPackage } from '../../scripts/lib/system-packages.ts';

let directory: string;
let bin: string;
let announced: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'basekeeper-packages-'));
  bin = join(directory, 'bin');
  mkdirSync(bin);
  announced = [];
  command('present', '');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function command(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** An apt-get that writes down how it is called and, on install, puts a command `wanted` into place. */
function fakeAptGet(installs: boolean): void {
  for (const tool of ['sh', 'chmod']) symlinkSync(join('/bin', tool), join(bin, tool));
  const put = installs ? `case "$*" in *install*) echo '#!/bin/sh' > ${bin}/wanted; chmod +x ${bin}/wanted;; esac` : '';
  command('apt-get', `echo "$DEBIAN_FRONTEND $*" >> ${directory}/apt.log\n${put}`);
}

const packages: readonly SystemPackage[] = [
  { name: 'present-package', purpose: 'to be there', provides: ['nowhere', 'present'] },
  { name: 'wanted-package', purpose: 'to be wanted', provides: ['wanted'] },
];

function ensure(root: boolean): Promise<void> {
  return ensureSystemPackages(packages, (line) => announced.push(line), { env: { PATH: bin }, root });
}

describe('system packages that tests need', () => {
  it('should all be here, because the set-up has run', () => {
    expect(missingPackages(SYSTEM_PACKAGES)).toEqual([]);
  });

  it('should be installed when root has apt-get: announced, without recommendations, only what is missing', async () => {
    fakeAptGet(true);
    await ensure(true);
    expect(announced.join('\n')).toMatch(/wanted-package: to be wanted/);
    const calls = readFileSync(join(directory, 'apt.log'), 'utf8');
    expect(calls).toMatch(/^noninteractive .* update\nnoninteractive .* install --yes --no-install-recommends wanted-package\n$/);
  });

  it('should not be installed again', async () => {
    fakeAptGet(true);
    command('wanted', '');
    await ensure(true);
    expect(announced).toEqual([]);
  });

  it('should be asked for with one command where the user may not install them', async () => {
    fakeAptGet(true);
    await expect(ensure(false)).rejects.toThrow(
      /sudo apt-get update && sudo apt-get install --no-install-recommends --yes wanted-package\n/,
    );
    expect(announced).toEqual([]);
  });

  it('should be asked for where there is no apt-get', async () => {
    await expect(ensure(true)).rejects.toThrow('wanted-package: to be wanted');
  });

  it('should stop the run when apt-get says that all is well and it is not', async () => {
    fakeAptGet(false);
    await expect(ensure(true)).rejects.toThrow('wanted-package, but nothing of it can be found');
  });
});
