import { copyFileSync, existsSync, mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUNDLE, start } from '../../helpers/basekeeper.ts';

const PLUGIN = resolve('dist/kubectl-basekeeper.js');
/** Makes this Node.js say that it is the oldest that ran the project once. */
const PRETEND = `data:text/javascript,Object.defineProperty(process,'version',{value:'v20.11.0'});Object.defineProperty(process,'versions',{value:{node:'20.11.0'}})`;
/** Where distributions put theirs. */
const DISTRIBUTION_NODE = '/usr/bin/node';

describe('an older Node.js', () => {
  it.each([
    ['basekeeper', BUNDLE],
    ['kubectl-basekeeper', PLUGIN],
  ])('should make %s say in one sentence which it needs', async (name, path) => {
    const ran = await start(process.execPath, ['--import', PRETEND, path, '--help']).ended;
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(`^${name} needs Node\\.js 24 or newer, but \\S+ is v20\\.11\\.0; [^\\n]+\\n$`));
  });

  it('should parse the whole plugin, as it lies in a PATH, without a suffix', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-plugin-'));
    const copy = join(directory.path, 'kubectl-basekeeper');
    copyFileSync(PLUGIN, copy);
    const node = existsSync(DISTRIBUTION_NODE) ? DISTRIBUTION_NODE : process.execPath;
    const { code, stderr, stdout } = await start(node, [copy, '--help']).ended;
    expect(stderr).not.toContain('SyntaxError');
    expect(code === 0 ? stdout : stderr).toMatch(/^(?:Usage: kubectl basekeeper|kubectl-basekeeper needs Node\.js 24)/);
  });
});
