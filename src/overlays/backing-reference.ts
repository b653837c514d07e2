import { posix } from 'node:path';

/** Where a backing file string leads. */
export type ReferenceTarget =
  /** A file below the instances path; `path` is relative to it and normalized. */
  | { readonly kind: 'inside'; readonly path: string; readonly format?: string | undefined }
  /** Surely not below the instances path: another directory, a network. Never opened. */
  | { readonly kind: 'elsewhere'; readonly message: string; readonly format?: string | undefined }
  /** Not understood: it may mean any file. */
  | { readonly kind: 'unclear'; readonly message: string };

export interface ReferenceOptions {
  /** Absolute paths by which image headers may name the instances path. */
  readonly roots: readonly string[];
  /** Path, relative to the instances path, of the file that holds the reference. */
  readonly from: string;
}

/** Keys of `json:` references that change nothing about which file is meant. */
const HARMLESS_KEYS = new Set([
  'node-name',
  'read-only',
  'auto-read-only',
  'force-share',
  'discard',
  'detect-zeroes',
  'locking',
  'aio',
  'aio-max-batch',
  'cache.direct',
  'cache.no-flush',
]);
const JSON_DRIVERS = new Set(['file', 'raw', 'qcow2']);

/** Protocols that lead to another machine or to a device. Others, such as `blkdebug:`, may wrap a local file. */
const REMOTE = /^(?:nbd|rbd|iscsi|https?|ftps?|ssh|gluster|nfs|sheepdog|vxhs|nvme|host_device|host_cdrom|null-co|null-aio)(?:\+[a-z]+)?:/;

/**
 * Resolves a backing file string as QEMU does (`bdrv_get_full_backing_filename`), by text alone: relative names count from the
 * directory of the file that holds them, `file:` is a prefix, any other protocol is not a local file. `..` is resolved lexically,
 * which is exact because no directory below the instances path is entered through a symbolic link.
 */
export function resolveReference(reference: string, options: ReferenceOptions): ReferenceTarget {
  if (reference.startsWith('json:')) return resolveJson(reference.slice('json:'.length), options);
  if (!hasProtocol(reference)) {
    const root = options.roots[0] ?? '/';
    return locate(posix.isAbsolute(reference) ? reference : posix.join(root, posix.dirname(options.from), reference), options);
  }
  if (reference.startsWith('file:')) return locateAbsolute(reference.slice('file:'.length), options);
  return REMOTE.test(reference) ? elsewhere(`${quote(reference)} is not a local file`) : unclear(`${quote(reference)} is not understood`);
}

/** The reference without its `file:` prefix, as people know it. */
export function displayReference(reference: string): string {
  return reference.startsWith('file:') ? reference.slice('file:'.length) : reference;
}

/** QEMU's `path_has_protocol`: a colon before the first slash. */
function hasProtocol(reference: string): boolean {
  return /^[^:/]*:/.test(reference);
}

/** Names after `file:` and in `json:` are relative to QEMU's working directory, which is unknown. */
function locateAbsolute(path: string, options: ReferenceOptions): ReferenceTarget {
  if (!posix.isAbsolute(path)) return unclear(`${quote(path)} is relative to the working directory of QEMU`);
  return locate(path, options);
}

function locate(absolute: string, { roots }: ReferenceOptions): ReferenceTarget {
  if (absolute.includes('\0') || !absolute.isWellFormed()) return unclear(`${quote(absolute)} is not a file name`);
  // With a slash at its end it names no file; without, it protects one anyway.
  const path = posix.normalize(absolute).replace(/(?<=.)\/$/s, '');
  for (const root of roots) {
    const prefix = root.endsWith('/') ? root : `${root}/`;
    if (path.startsWith(prefix) && path.length > prefix.length) return { kind: 'inside', path: path.slice(prefix.length) };
  }
  return elsewhere(`${quote(absolute)} is outside the instances path`);
}

function resolveJson(text: string, options: ReferenceOptions): ReferenceTarget {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return unclear('a json: reference that is not JSON');
  }
  const keys = new Map<string, unknown>();
  flatten(value, '', keys);
  return resolveJsonKeys(keys, options);
}

/**
 * Follows `file` down to the node that has a file name. Only what is known not to add another file is accepted: a key such as
 * `backing` would.
 */
function resolveJsonKeys(keys: ReadonlyMap<string, unknown>, options: ReferenceOptions): ReferenceTarget {
  let filename: string | undefined;
  const drivers = new Map<string, string>();
  for (const [key, value] of keys) {
    const [, prefix = '', name = ''] = /^((?:file\.)*)(.*)$/s.exec(key) ?? [];
    if (HARMLESS_KEYS.has(name)) continue;
    if (typeof value !== 'string' || (name !== 'driver' && name !== 'filename')) {
      return unclear(`a json: reference with ${quote(key)}, which is not understood`);
    }
    if (name === 'driver') drivers.set(prefix, value);
    else if (filename === undefined) filename = value;
    else return unclear('a json: reference with two file names');
  }
  const strange = Array.from(drivers.values()).find((driver) => !JSON_DRIVERS.has(driver));
  if (strange !== undefined) return unclear(`a json: reference with the driver ${quote(strange)}`);
  if (filename === undefined) return unclear('a json: reference without a file name');
  const target = locateAbsolute(filename, options);
  const format = jsonFormat(drivers);
  return target.kind !== 'unclear' && format !== undefined ? { ...target, format } : target;
}

/** A qcow2 node anywhere reads a header; a raw one at the top ends the chain only when there is none below it. */
function jsonFormat(drivers: ReadonlyMap<string, string>): string | undefined {
  if (Array.from(drivers.values()).includes('qcow2')) return 'qcow2';
  return drivers.get('') === 'raw' ? 'raw' : undefined;
}

/** `{"file": {"filename": "x"}}` and `{"file.filename": "x"}` mean the same. A key that comes twice is kept as not understood. */
function flatten(value: unknown, prefix: string, into: Map<string, unknown>): void {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length === 0) into.set(prefix, into.has(prefix) ? undefined : value);
  for (const [key, item] of entries) flatten(item, prefix === '' ? key : `${prefix}.${key}`, into);
}

/** References are untrusted and end up in messages. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function unclear(message: string): ReferenceTarget {
  return { kind: 'unclear', message };
}

function elsewhere(message: string): ReferenceTarget {
  return { kind: 'elsewhere', message };
}
