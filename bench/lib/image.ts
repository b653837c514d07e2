/** What the image gives an agent beside the program: an agent outside of it would not be the one that people run. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DOCKERFILE = fileURLToPath(new URL('../../Dockerfile', import.meta.url));

export interface ImageSettings {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Node.js's flags from the Dockerfile's ENTRYPOINT, variables from its ENV. Throws when it has them no longer. */
export function imageSettings(): ImageSettings {
  const text = readFileSync(DOCKERFILE, 'utf8');
  const entrypoint = /^ENTRYPOINT (\[.*\])$/m.exec(text)?.[1];
  const env = /^ENV (.*)$/m.exec(text)?.[1];
  if (entrypoint === undefined || env === undefined) throw new Error('the Dockerfile has no ENTRYPOINT or no ENV');
  const [, ...args] = JSON.parse(entrypoint) as string[];
  const pairs = env.split(' ').map((pair) => pair.split('=', 2) as [string, string]);
  return { flags: args.slice(0, -1), env: Object.fromEntries(pairs) };
}
