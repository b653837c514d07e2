/** Runs the tools of a release and says, when one fails, what it was asked and what it answered. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ensureHelm, ensureReleaseTool, type ReleaseTool } from '../lib/tools.ts';

const execute = promisify(execFile);

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** What a command prints on stdout, without white space at its ends. */
export async function output(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { stdout } = await execute(command, args, { ...options, maxBuffer: 256 * 1024 * 1024 }).catch((error: Failed) => {
    // Not as its cause, whose message is all of this again.
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout ?? ''}${error.stderr ?? error.message}`.trim());
  });
  return stdout.trim();
}

type Failed = Error & { readonly stdout?: string; readonly stderr?: string };

/** Where a release goes, and how it is reached: plain HTTP is for a registry on loopback alone. */
export interface Access {
  readonly plainHttp: boolean;
}

export async function tool(name: ReleaseTool | 'helm', args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const path = name === 'helm' ? await ensureHelm(3) : await ensureReleaseTool(name);
  return output(path, args, options);
}

const plain = ({ plainHttp }: Access): string[] => (plainHttp ? ['--plain-http'] : []);

export function oras(verb: readonly string[], access: Access, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return tool('oras', [...verb, ...plain(access), ...args], options);
}

/** The digest that a name in a registry stands for; undefined where nothing has that name. */
export async function digestOf(reference: string, access: Access): Promise<string | undefined> {
  try {
    return await oras(['resolve'], access, [reference]);
  } catch (error) {
    if (error instanceof Error && error.message.includes('not found')) return undefined;
    throw error;
  }
}

/** Such as `127.0.0.1:5000/basekeeper/basekeeper`, where the name ends in a tag. */
export function repositoryOf(reference: string): string {
  return reference.replace(/:[^/:]+$/, '');
}

export function pushChart(archive: string, registry: string, access: Access): Promise<string> {
  return tool('helm', ['push', archive, `oci://${registry}/charts`, ...plain(access)]);
}
