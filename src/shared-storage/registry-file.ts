import { asNumber, asObject, field, parseStrictJson } from '../lib/json.ts';

/** As the file has them: host name → seconds since 1970, as Python's `time.time()` gives them. */
export type Hosts = ReadonlyMap<string, number>;

/** More than this many hosts on one directory are a mistake. */
const MAX_HOSTS = 4096;

/** No more is read, and so no more is written. */
export const MAX_REGISTRY_BYTES = 1024 * 1024;

/** What Nova may add before the next of us looks. */
const SPARE_BYTES = 4096;
const BOUNDS = { values: 4 * MAX_HOSTS, depth: 3 };
const PROBLEMS = {
  'not JSON': 'it is not JSON',
  'too much': `it has more than ${MAX_HOSTS} hosts, or something else in it`,
  'a key twice': 'it names a host twice',
} as const;

/** As Nova's API takes a host's name; it does not begin like an option. */
const HOST_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;

export function isHostName(name: string): boolean {
  return HOST_NAME.test(name);
}

export type ParsedHosts =
  | { readonly hosts: Hosts; readonly problem?: undefined }
  | { readonly hosts?: undefined; readonly problem: string };

/**
 * Reads Nova's `compute_nodes`, a JSON object of host names and times. Nova takes what is not JSON for an empty registry; here it is a
 * problem, and so is an empty file: Nova truncates the file before it writes it.
 */
export function parseRegistry(text: string): ParsedHosts {
  const { value, problem } = parseStrictJson(text, BOUNDS);
  if (problem === undefined) return hostsOf(value);
  // Of two times of one host, JSON keeps the last: it may be the older one.
  return { problem: text.trim() === '' ? 'it is empty' : PROBLEMS[problem] };
}

/** As Nova writes it, but for spaces. */
export function formatRegistry(hosts: Hosts): string {
  return JSON.stringify(Object.fromEntries(hosts));
}

/** What we remember of the registry. */
export interface Memory {
  /** It was about to be written so. */
  readonly pending: boolean;
  /** When the first agent registered, in seconds since 1970; undefined: none has. */
  readonly since: number | undefined;
  readonly hosts: Hosts;
}

export type ParsedMemory = (Memory & { readonly problem?: undefined }) | { readonly hosts?: undefined; readonly problem: string };

export function parseMemory(text: string): ParsedMemory {
  const { value, problem: broken } = parseStrictJson(text, BOUNDS);
  if (broken !== undefined) return { problem: PROBLEMS[broken] };
  const pending = field(value, 'pending');
  const since = asNumber(field(value, 'since'));
  if (field(value, 'version') !== 1 || typeof pending !== 'boolean' || since === undefined)
    return { problem: 'it was not written by this version of Basekeeper' };
  const { hosts, problem } = hostsOf(field(value, 'hosts'));
  return hosts === undefined ? { problem } : { pending, since, hosts };
}

export function formatMemory({ pending, since, hosts }: Memory): string {
  return JSON.stringify({ version: 1, pending, since, hosts: Object.fromEntries(hosts) });
}

/** Why these hosts cannot be written, if so: nobody could read them again. */
export function whyTooMany(hosts: Hosts): string | undefined {
  const isReadable =
    hosts.size <= MAX_HOSTS && Buffer.byteLength(formatMemory({ pending: true, since: 0.001, hosts })) < MAX_REGISTRY_BYTES - SPARE_BYTES;
  if (isReadable) return undefined;
  return `it would have ${hosts.size} hosts, with those that are remembered, and no more than ${MAX_HOSTS} hosts or ${MAX_REGISTRY_BYTES} bytes can be read: let those that are gone be forgotten (basekeeper hosts --forget)`;
}

/** Of each host the later registration. */
export function union(...registries: readonly (Hosts | undefined)[]): Hosts {
  const all = new Map<string, number>();
  for (const hosts of registries) for (const [host, seconds] of hosts ?? []) all.set(host, Math.max(all.get(host) ?? seconds, seconds));
  return all;
}

function hostsOf(value: unknown): ParsedHosts {
  const object = asObject(value);
  if (object === undefined) return { problem: 'it is not an object of hosts and times' };
  const entries = Object.entries(object);
  if (entries.length > MAX_HOSTS) return { problem: `it has more than ${MAX_HOSTS} hosts` };
  const odd = entries.find(([name]) => !isHostName(name));
  if (odd !== undefined) return { problem: `${JSON.stringify(odd[0].slice(0, 80))} in it is not a host name` };
  const wrong = entries.find(([, seconds]) => asNumber(seconds) === undefined);
  if (wrong !== undefined) return { problem: `the time of host ${JSON.stringify(wrong[0])} is not a number` };
  return { hosts: new Map(entries as [string, number][]) };
}
