import { posix } from 'node:path';
import { FORMAT_DRIVERS } from '../images/formats/formats.ts';

/** Where a backing file string leads, by its text alone. */
export type ReferenceTarget =
  /** A local file; `path` is absolute, and may still lead through links and `..`. */
  | { readonly kind: 'file'; readonly path: string; readonly format?: string | undefined }
  /** On another machine: it cannot be a base file itself, but its header may name one. */
  | { readonly kind: 'remote'; readonly message: string; readonly format?: string | undefined }
  /** Not understood: it may mean any file, and these at least. */
  | { readonly kind: 'unclear'; readonly message: string; readonly mentions: readonly string[] };

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
  'cache',
]);
/** Protocols that lead to another machine. Others, such as `blkdebug:`, may wrap a local file. */
const REMOTE: ReadonlySet<string> = new Set([
  'nbd',
  'rbd',
  'iscsi',
  'http',
  'https',
  'ftp',
  'ftps',
  'ssh',
  'gluster',
  'nfs',
  'sheepdog',
  'vxhs',
  'null-co',
  'null-aio',
]);
const FILE_DRIVERS = new Set(['file', 'host_device', 'host_cdrom']);
const MAX_DEPTH = 16;
const LOCAL_SERVER = 'is served by a program of this host, which may read any file';

/**
 * Resolves a backing file string as QEMU does (`bdrv_get_full_backing_filename`): relative names count from the directory of the
 * file that holds them, `file:` is a prefix, and any other protocol is not a local file.
 *
 * @param directory absolute, of the name by which QEMU opens the file that holds the reference. Undefined: the name counts from where QEMU was started.
 * @param declared the format that the file gives beside the reference: one more layer over what a `json:` reference says.
 */
export function resolveReference(reference: string, directory: string | undefined, declared?: string): ReferenceTarget {
  if (reference.startsWith('json:')) return resolveJson(reference.slice('json:'.length), declared);
  if (!hasProtocol(reference)) return directory === undefined ? absoluteFile(reference) : fileAt(reference, undefined, directory);
  if (reference.startsWith('file:')) return absoluteFile(reference.slice('file:'.length));
  if (/^nbd(?:\+unix:|:unix:)/.test(reference)) return unclear(`${quote(reference)} ${LOCAL_SERVER}`, []);
  const protocol = /^([a-z_-]+)(?:\+[a-z]+)?:(.*)$/s.exec(reference);
  if (protocol?.[1] !== undefined && REMOTE.has(protocol[1])) return { kind: 'remote', message: `${quote(reference)} is not a local file` };
  if (protocol?.[1] !== undefined && FILE_DRIVERS.has(protocol[1])) return absoluteFile(protocol[2] ?? '');
  return unclear(`${quote(reference)} is not understood`, [reference.slice(reference.indexOf(':') + 1)]);
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
function absoluteFile(path: string, format?: string): ReferenceTarget {
  return posix.isAbsolute(path) ? fileAt(path, format) : unclear(`${quote(path)} is relative to the working directory of QEMU`, [path]);
}

/** @param directory of a path that is relative; its own name may be in other bytes than UTF-8. */
function fileAt(path: string, format?: string, directory = ''): ReferenceTarget {
  if (path.includes('\0') || !path.isWellFormed()) return unclear(`${quote(path)} is not a file name`, []);
  const full = posix.isAbsolute(path) ? path : `${directory}/${path}`;
  return { kind: 'file', path: full, ...(format === undefined ? {} : { format }) };
}

type JsonNode = ReadonlyMap<string, unknown>;

function resolveJson(text: string, declared: string | undefined): ReferenceTarget {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return unclear('a json: reference that is not strict JSON (QEMU also takes single quotes)', []);
  }
  const mentions = fileNamesIn(value, 0);
  const node = nodeOf(value);
  const target = node === undefined ? unclear('a json: reference that is not an object', []) : resolveNode(node, declared, 0);
  return target.kind === 'unclear' ? { ...target, mentions: [...new Set([...target.mentions, ...mentions])] } : target;
}

/**
 * Follows `file` down to the node that has a file name. Only keys that are known not to add another file are accepted, and only
 * layers below which the header lies at the start of the file: one format at most, with plain files and whole raw layers.
 */
function resolveNode(node: JsonNode, format: string | undefined, depth: number): ReferenceTarget {
  const driver = node.get('driver');
  const below = node.get('file');
  if (driver === 'nbd' && isLocalServer(node)) return unclear(`a json: reference to "nbd", which ${LOCAL_SERVER}`, []);
  if (typeof driver === 'string' && REMOTE.has(driver))
    return { kind: 'remote', message: `a json: reference to ${quote(driver)}, which is not a local file` };
  const strange = [...node.keys()].find((key) => !HARMLESS_KEYS.has(key) && !['driver', 'filename', 'file'].includes(key));
  if (strange !== undefined) return unclear(`a json: reference with ${quote(strange)}, which is not followed`, []);
  if (driver !== undefined && (typeof driver !== 'string' || !(FORMAT_DRIVERS.has(driver) || FILE_DRIVERS.has(driver))))
    return unclear(`a json: reference with the driver ${JSON.stringify(driver)}, which is not followed`, []);
  const layer = driver !== undefined && FORMAT_DRIVERS.has(driver) ? driver : undefined;
  if (isNested(format, layer, depth)) return unclear(`a json: reference to ${layer} within ${format}, which is not followed`, []);
  const read = layer === undefined ? format : moreTelling(format, layer);
  if (below === undefined) {
    const filename = node.get('filename');
    return typeof filename === 'string' ? absoluteFile(filename, read) : unclear('a json: reference without a file name', []);
  }
  const child = nodeOf(below);
  // Only the uppermost node is probed where it has no driver, and a plain file has nothing below it.
  const isLayer = layer !== undefined || (driver === undefined && depth === 0);
  if (child === undefined || !isLayer || node.has('filename') || depth > MAX_DEPTH)
    return unclear('a json: reference that is not understood', []);
  return resolveNode(child, read, depth + 1);
}

/** Whether a header lies within the data of another format. At the top, the declared format and the driver mean one layer. */
function isNested(format: string | undefined, layer: string | undefined, depth: number): boolean {
  if (layer === undefined || layer === 'raw' || format === undefined || format === 'raw') return false;
  return depth > 0 || layer !== format;
}

/** A socket of this host: `server.type`, `server.path` or `path`. */
function isLocalServer(node: JsonNode): boolean {
  const server = nodeOf(node.get('server'));
  return node.has('path') || server?.has('path') === true || server?.get('type') === 'unix';
}

/** Of two formats of one file the one that has a header: it may name other files. Raw counts only where nothing else is said. */
function moreTelling(known: string | undefined, format: string): string {
  return known === undefined || known === 'raw' ? format : known;
}

/** `{"file": {"filename": "x"}}` and `{"file.filename": "x"}` mean the same. Undefined for what is not an object, or says one thing twice. */
function nodeOf(value: unknown): JsonNode | undefined {
  if (value instanceof Map) return value as JsonNode;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const node = new Map<string, unknown>();
  const nested = new Map<string, Map<string, unknown>>();
  for (const [key, item] of Object.entries(value)) {
    const dot = key.indexOf('.');
    const name = dot === -1 ? key : key.slice(0, dot);
    if (dot === -1 ? node.has(name) || nested.has(name) : node.has(name)) return undefined;
    if (dot === -1) node.set(name, item);
    else nested.set(name, (nested.get(name) ?? new Map<string, unknown>()).set(key.slice(dot + 1), item));
  }
  for (const [name, items] of nested) node.set(name, nodeOf(Object.fromEntries(items)));
  return node;
}

/** Every file name that the value mentions, under whatever driver. */
function fileNamesIn(value: unknown, depth: number): string[] {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    typeof item === 'string' ? (/(?:^|\.)filename$/.test(key) ? [item] : []) : fileNamesIn(item, depth + 1),
  );
}

/** References are untrusted and end up in messages. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function unclear(message: string, mentions: readonly string[]): ReferenceTarget & { kind: 'unclear' } {
  return { kind: 'unclear', message, mentions };
}
