import { PassThrough, Readable } from 'node:stream';
import { run } from '../../src/cli/run.ts';
import { openLedger, tryRules } from '../../src/wire/commands.ts';
import type { Environment } from '../../src/cli/io.ts';
import type { PassRun, RestoredFile, TrashListing, Wiring } from '../../src/wire/wiring.ts';
import type { Config } from '../../src/config/types.ts';
import type { NodeCleanup } from '../../src/fleet/cleanup.ts';
import type { Report } from '../../src/model/report.ts';
import { report } from './reports.ts';

/** What a command line did. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** One entry for each pass: what it was made from and asked for. */
  readonly passes: readonly { readonly config: Config; readonly run: PassRun }[];
  readonly wired: number;
  readonly closed: number;
}

export interface CommandLineWorld {
  readonly env?: Environment;
  readonly stdin?: string;
  /** What every pass comes to; a function may throw. Default: an uneventful report. */
  readonly report?: Report | (() => Report);
  readonly terminal?: { readonly columns: number };
  readonly cleanup?: NodeCleanup;
  readonly trash?: readonly TrashListing[];
  readonly restored?: (wanted: string) => RestoredFile;
  readonly agent?: (config: Config, signal: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** Runs a command line in this process, with a composition root that records instead of touching anything. */
export async function runCommandLine(argv: readonly string[], world: CommandLineWorld = {}): Promise<Ran> {
  const passes: { config: Config; run: PassRun }[] = [];
  let wired = 0;
  let closed = 0;
  const wiring: Wiring = {
    createPass: (config) =>
      Promise.resolve({
        runPass: async (asked) => {
          passes.push({ config, run: asked });
          asked.onStage?.('scan');
          return typeof world.report === 'function' ? world.report() : (world.report ?? report());
        },
        close: async () => {
          closed += 1;
        },
      }),
    listHosts: async () => ({ hosts: [] }),
    forgetHost: async () => undefined,
    listTrash: () => Promise.resolve(world.trash ?? []),
    restoreFile: (_config, wanted) => Promise.resolve(world.restored?.(wanted) ?? { outcome: 'NotInTrash' }),
    cleanUpNodes: () => Promise.resolve(world.cleanup ?? { cleaned: [], failed: new Map() }),
    prepareRegistry: async () => [],
    prepareDirectories: ({ basePath, locksPath }) => [
      { path: basePath, made: true },
      { path: locksPath, made: false },
    ],
    tryRules,
    openLedger,
    createAgent: (config) => Promise.resolve({ run: (signal) => world.agent?.(config, signal) ?? Promise.resolve() }),
  };
  const { io, stdout, stderr } = recordingIo(world);
  const code = await run(argv, world.env ?? { NODE_NAME: 'node-1' }, io, () => {
    wired += 1;
    return Promise.resolve(wiring);
  });
  return { code, stdout: stdout.text(), stderr: stderr.text(), passes, wired, closed };
}

/** Streams that keep what a command writes. */
export function recordingIo(world: Pick<CommandLineWorld, 'stdin' | 'terminal' | 'signal'> = {}) {
  const stdout = recorder(world.terminal);
  const stderr = recorder(undefined);
  const io = {
    stdin: Readable.from([world.stdin ?? '']),
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: world.signal ?? new AbortController().signal,
  };
  return { io, stdout, stderr };
}

function recorder(terminal: CommandLineWorld['terminal']) {
  const chunks: string[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => chunks.push(String(chunk)));
  return {
    stream: Object.assign(stream, terminal === undefined ? {} : { isTTY: true, columns: terminal.columns }),
    text: () => chunks.join(''),
  };
}
