import { open } from 'node:fs/promises';
import { errnoOf, messageOf } from '../../lib/errors.ts';
import type { Clock, WorkloadSource } from '../../model/ports.ts';
import type { Gap, SourceReading } from '../../model/workload.ts';
import { doubtsOf, type FileTrust } from './trust.ts';
import { FILE_SOURCE, parseWorkloads, type ParsedWorkloads } from './workloads-file.ts';

/** Some hundred thousand workloads. */
const MAX_BYTES = 64 * 1024 * 1024;
/** What was just read is fresh. */
const FRESH_LIMIT_MS = 60_000;

/** Larger files are parsed at every look rather than kept. */
const KEPT_BYTES = 4 * 1024 * 1024;

export interface FileSourceOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Default: what it says of itself counts, and it need not say anything. */
  readonly trust?: FileTrust | undefined;
}

const ANY: FileTrust = { required: false, maximumAgeSeconds: 3600 };

/** The YAML list of workloads, read again at every `read()`, and parsed where its bytes have changed: probes and scrapes look at it as well. */
export function createFileSource(options: FileSourceOptions): WorkloadSource {
  let last: { readonly bytes: Buffer; readonly parsed: ParsedWorkloads } | undefined;
  const parse = (bytes: Buffer): ParsedWorkloads => {
    if (last?.bytes.equals(bytes) === true) return last.parsed;
    const parsed = parseWorkloads(decode(bytes));
    last = bytes.length > KEPT_BYTES ? undefined : { bytes, parsed };
    return parsed;
  };
  return {
    name: FILE_SOURCE,
    start: () => undefined,
    stop: async () => undefined,
    read: async () => {
      const startedAtMs = options.clock.now().wallMs;
      try {
        return readingOf(parse(await readBytes(options.path)), options, startedAtMs);
      } catch (error) {
        if (errnoOf(error) === undefined) throw error;
        return unreadable(options.path, startedAtMs, messageOf(error));
      }
    },
  };
}

function readingOf(parsed: ParsedWorkloads, { path, trust = ANY }: FileSourceOptions, startedAtMs: number): SourceReading {
  const { workloads, errors } = parsed;
  if (workloads === undefined) {
    const [first] = errors;
    const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
    return unreadable(path, startedAtMs, `line ${first?.line}: ${first?.path} ${first?.message}${more}`);
  }
  // What it lists is in use, whatever else is missing.
  const gaps = doubtsOf(parsed, trust, startedAtMs).map((doubt) => unreadableGap(`workloads file ${path}: ${doubt}`));
  return { status: { ...status(startedAtMs), state: 'synced', consistentListAtMs: startedAtMs }, workloads, gaps };
}

function unreadable(path: string, startedAtMs: number, why: string): SourceReading {
  const message = `workloads file ${path}: ${why}`;
  return {
    status: { ...status(startedAtMs), state: 'failed', consistentListAtMs: undefined, message },
    workloads: [],
    gaps: [unreadableGap(message)],
  };
}

function unreadableGap(message: string): Gap {
  return { kind: 'UnreadableSource', source: FILE_SOURCE, message };
}

function status(startedAtMs: number) {
  return { name: FILE_SOURCE, lastContactMs: startedAtMs, freshLimitMs: FRESH_LIMIT_MS };
}

async function readBytes(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > MAX_BYTES) throw Object.assign(new Error(`it is larger than ${MAX_BYTES} bytes`), { code: 'EFBIG' });
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Anything but UTF-8 is refused: an image id that was fixed would be hashed to another name. */
function decode(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
