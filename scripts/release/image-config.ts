/** How the image starts: its configuration, as it follows from that of its base and from the Dockerfile's last stage. */

/** The part `config` of an image's configuration, whose keys are Docker's. */
export type ImageConfig = Readonly<Record<string, unknown>>;

/** What buildah and BuildKit add where nobody says anything. */
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_DIRECTORY = '/';

/** `args`: what stands for the Dockerfile's ARGs. */
export function expectedConfig(dockerfile: string, base: ImageConfig, args: Readonly<Record<string, string>>): ImageConfig {
  const config: Record<string, unknown> = { ...base };
  for (const [instruction, rest] of lastStage(dockerfile)) {
    const words = rest.replaceAll(/\$(\w+)/g, (_, name: string) => args[name] ?? '');
    if (instruction === 'ENV') config['Env'] = withAll(asEnvironment(config['Env']), assignments(words));
    else if (instruction === 'LABEL')
      config['Labels'] = { ...(config['Labels'] as object | undefined), ...Object.fromEntries(assignments(words)) };
    else if (instruction === 'USER') config['User'] = words;
    else if (instruction === 'ENTRYPOINT') config['Entrypoint'] = JSON.parse(words);
    else if (instruction === 'CMD') config['Cmd'] = JSON.parse(words);
    else if (instruction === 'EXPOSE') config['ExposedPorts'] = { ...(config['ExposedPorts'] as object | undefined), [`${words}/tcp`]: {} };
    else if (!['ARG', 'COPY'].includes(instruction)) throw new Error(`the Dockerfile's ${instruction} cannot be checked`);
  }
  return config;
}

/** One line for each key that differs. */
export function configDifferences(expected: ImageConfig, found: ImageConfig): string[] {
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])].toSorted();
  return keys.flatMap((key) => {
    const [want, have] = [canonical(key, expected[key]), canonical(key, found[key])];
    return want === have ? [] : [`${key} is ${have}, and this source gives ${want}`];
  });
}

function canonical(key: string, given: unknown): string {
  const value = key === 'Env' ? asEnvironment(given).filter((entry) => entry !== DEFAULT_PATH) : given;
  const nothing = key === 'WorkingDir' ? DEFAULT_DIRECTORY : '';
  if (value === undefined || value === null || value === '') return nothing;
  if (Array.isArray(value)) return value.length === 0 ? nothing : JSON.stringify(value);
  if (typeof value !== 'object') return typeof value === 'string' ? value : JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return entries.length === 0 ? nothing : JSON.stringify(Object.fromEntries(entries));
}

/** Instructions after the last FROM, lines that go on joined. */
function lastStage(dockerfile: string): (readonly [instruction: string, rest: string])[] {
  const lines = dockerfile
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const from = lines.findLastIndex((line) => line.startsWith('FROM '));
  return lines.slice(from + 1).map((line) => {
    const [, instruction = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return [instruction, rest] as const;
  });
}

/** `A=1 B="two words"`. */
function assignments(words: string): (readonly [string, string])[] {
  return [...words.matchAll(/([\w.-]+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map(
    ([, key = '', quoted, plain = '']) => [key, quoted ?? plain] as const,
  );
}

function asEnvironment(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function withAll(environment: readonly string[], added: readonly (readonly [string, string])[]): string[] {
  const keys = new Set(added.map(([key]) => key));
  return [...environment.filter((entry) => !keys.has(entry.split('=', 1)[0] ?? '')), ...added.map(([key, value]) => `${key}=${value}`)];
}
