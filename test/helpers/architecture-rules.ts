/** Who may import whom (docs/architecture.md says it in prose): the table that test/unit/architecture.test.ts enforces. */

export interface Layer {
  /** Layers (directories or files directly below src), or single files of them, that it may import besides itself. */
  readonly mayImport: readonly string[];
  readonly why: string;
}

const STAGE_MAY_IMPORT = ['model', 'kube', 'lib'] as const;

export const LAYERS: Readonly<Record<string, Layer>> = {
  main: {
    mayImport: ['process', 'cli', 'wire', 'config', 'model', 'lib'],
    why: 'main turns argv and env into an exit code; everything else is behind cli and wire.',
  },
  kubectl: {
    mayImport: ['process', 'cli', 'kube', 'report', 'lib'],
    why: 'The kubectl plugin is a command line and an API client; nothing of a pass belongs into it.',
  },
  process: { mayImport: ['cli/io.ts', 'lib'], why: 'What all programs share: signals, streams and the exit code.' },
  cli: {
    mayImport: ['wire', 'config', 'report', 'model', 'lib'],
    why: 'A command parses its options and prints a result; cycle, agent and adapters reach it composed, through wire.',
  },
  wire: {
    mayImport: [
      'agent',
      'cycle',
      'membership',
      'shared-storage',
      'config',
      'sources',
      'references',
      'scan',
      'plan',
      'execute',
      'report',
      'kube',
      'model',
      'lib',
    ],
    why: 'The composition root knows every adapter, and is known by main and cli only.',
  },
  membership: {
    mayImport: ['model', 'lib'],
    why: 'When a host tells the others about itself; what it tells, and where, is handed to it.',
  },
  agent: {
    mayImport: ['cycle', 'kube/types.ts', 'model', 'lib'],
    why: 'The agent decides when a pass runs; what a pass works with is handed to it.',
  },
  cycle: {
    mayImport: ['references', 'plan', 'report', 'model', 'lib'],
    why: 'The pass strings pure stages and ports together; it names no adapter, so that tests can hand it twins.',
  },
  config: { mayImport: ['model', 'lib'], why: 'The configuration is read before anything exists that it could configure.' },
  model: { mayImport: [], why: 'The vocabulary depends on nothing: everything else depends on it.' },
  sources: { mayImport: STAGE_MAY_IMPORT, why: 'No stage imports another stage: what they share is in the model.' },
  references: { mayImport: STAGE_MAY_IMPORT, why: 'No stage imports another stage: what they share is in the model.' },
  scan: { mayImport: STAGE_MAY_IMPORT, why: 'No stage imports another stage: what they share is in the model.' },
  plan: { mayImport: STAGE_MAY_IMPORT, why: 'No stage imports another stage: what they share is in the model.' },
  execute: { mayImport: STAGE_MAY_IMPORT, why: 'No stage imports another stage: what they share is in the model.' },
  report: { mayImport: STAGE_MAY_IMPORT, why: 'No stage imports another stage: what they share is in the model.' },
  kube: { mayImport: ['model', 'lib'], why: 'The API client knows nothing of what stands on it.' },
  lib: { mayImport: ['model'], why: 'Clock, errors and logger are below every stage.' },
};

/** Stages and config: a file there is pure unless it is named below. */
export const STAGES_WITH_PURE_FILES: readonly string[] = ['config', 'model', 'sources', 'references', 'scan', 'plan', 'execute', 'report'];

/** The thin shells around the pure files: only these touch disk, network, clock or process. Each line is a decision. */
export const SHELLS: readonly string[] = [
  'src/execute/base-directory.ts',
  'src/execute/checksum-directory.ts',
  'src/execute/checksum-keeper.ts',
  'src/execute/checksum-round.ts',
  'src/execute/directory-entries.ts',
  'src/execute/execute-trash.ts',
  'src/execute/executor.ts',
  'src/execute/file-lock.ts',
  'src/execute/lock-file.ts',
  'src/execute/owned-directory.ts',
  'src/execute/paced-hash.ts',
  'src/execute/small-file-writer.ts',
  'src/execute/storage-registry.ts',
  'src/execute/subdirectory.ts',
  'src/execute/trash-directory.ts',
  'src/report/annotation-writer.ts',
  'src/report/composite.ts',
  'src/report/event-recorder.ts',
  'src/report/event-sender.ts',
  'src/report/fleet.ts',
  'src/report/http-routes.ts',
  'src/report/http.ts',
  'src/report/kube-reporter.ts',
  'src/report/metric-set.ts',
  'src/report/metrics-scrape.ts',
  'src/report/metrics.ts',
  'src/report/node-cleanup.ts',
  'src/report/retry.ts',
  'src/report/status-renderer.ts',
  'src/report/timing.ts',
  'src/report/work-queue.ts',
  'src/scan/base-dir.ts',
  'src/scan/base-verifier.ts',
  'src/scan/directory.ts',
  'src/scan/image-reader.ts',
  'src/scan/overlays-all.ts',
  'src/scan/overlays-nova.ts',
  'src/scan/overlays.ts',
  'src/scan/pacer.ts',
  'src/scan/stillness.ts',
  'src/scan/trash.ts',
  'src/sources/file.ts',
  'src/sources/host-watches.ts',
  'src/sources/libvirt-files.ts',
  'src/sources/libvirt.ts',
  'src/sources/pin-source.ts',
  'src/sources/pod-source.ts',
  'src/sources/rule-source.ts',
  'src/sources/shared-storage.ts',
  'src/sources/vmi-source.ts',
];

export const PURE_WHY =
  'A pure file decides from its arguments alone: it imports its own stage’s pure files and the model, and reads no clock, disk, network or process.';

/** Files of lib that compute and do nothing else. */
export const PURE_LIB: readonly string[] = [
  'src/lib/anchored-pattern.ts',
  'src/lib/errors.ts',
  'src/lib/json-path.ts',
  'src/lib/json.ts',
  'src/lib/or-aborted.ts',
  'src/lib/trash-names.ts',
  'src/lib/watched-object.ts',
  'src/lib/yaml-keys.ts',
];

/** Builtins and packages that compute and do nothing else, or (behind `#`) the parts of them that do. */
export const PURE_PACKAGES: readonly string[] = [
  'node:buffer#isUtf8',
  'node:net#isIP',
  'node:crypto',
  'node:path',
  'node:util',
  'cli-truncate',
  'cron#CronTime',
  'json-p3',
  'leven',
  'picomatch',
  're2js',
  'saxes',
  'string-width',
  'yaml',
  'zod',
  'zod/mini',
];

/** Globals that make a result depend on when and where it is computed. */
export const IMPURE_GLOBALS: readonly string[] = [
  'Date.now',
  'Math.random',
  'console',
  'fetch',
  'new Date()',
  'performance',
  'process',
  'setImmediate',
  'setInterval',
  'setTimeout',
];

/** Packages that one layer wraps for all others: prefix of the importing path by package. */
export const DOORS: Readonly<Record<string, { readonly door: string; readonly why: string }>> = {
  '@kubernetes/client-node': { door: 'src/kube/', why: 'Its models and its Watch must not leak: the rest talks to KubeClient.' },
  commander: { door: 'src/cli/', why: 'Only the command line knows how options are spelled.' },
  'fs-native-extensions': { door: 'src/execute/', why: 'Locks are taken where files are changed, and nowhere else.' },
  'prom-client': { door: 'src/report/', why: 'A metric is how a report is shown, not how it is computed.' },
  'node:child_process': { door: 'nowhere', why: 'The agent runs in an image without any other program.' },
};

export const EXIT_WHY = 'Only process.ts ends the process; everything else returns or throws, so that what is held gets released.';
