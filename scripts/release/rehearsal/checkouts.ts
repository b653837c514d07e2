/** Two clones of the commit that is checked out, whose builds differ in all that must not matter. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { output } from '../commands.ts';

export interface Checkout {
  readonly root: string;
  /** Runs `node scripts/…` of the clone. */
  run(script: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string>;
}

export async function checkouts(root: string, directory: string): Promise<readonly [Checkout, Checkout]> {
  const usual = await clone(root, join(directory, 'usual'), '0022', {});
  const strange = await clone(root, join(directory, 'strange', 'and deeper'), '0077', { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' });
  return [usual, strange];
}

async function clone(from: string, path: string, umask: string, different: NodeJS.ProcessEnv): Promise<Checkout> {
  mkdirSync(join(path, '..'), { recursive: true });
  const inShell = async (command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
    output('sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', command, ...args], { cwd: path, env: { ...env, ...different } });
  execFileSync('sh', ['-c', `umask ${umask}; exec git clone --quiet "$1" "$2"`, 'sh', from, path]);
  // By links where that is possible: nothing writes there.
  const copy = async (how: string) => output('cp', [how, join(from, 'node_modules'), path]);
  await copy('-al').catch(async () => copy('-a'));
  return { root: `${path}/`, run: (script, args, env) => inShell(process.execPath, [join(path, 'scripts', script), ...args], env) };
}
