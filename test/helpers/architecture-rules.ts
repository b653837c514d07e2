/** Who may import whom (docs/architecture.md says it in prose): the table that test/unit/architecture.test.ts enforces. */

export interface Layer {
  /** Layers (folders directly below src), or single files of them, that it may import besides itself. */
  readonly mayImport: readonly string[];
  readonly why: string;
}

const STAGE_WHY = 'No stage imports another stage: what they share is in the model, or below it in disk, images and lib.';

export const LAYERS: Readonly<Record<string, Layer>> = {
  bin: {
    mayImport: ['cli', 'wire', 'fleet', 'kube', 'lib'],
    why: 'An entry point joins a command line to what it works with; it turns argv and env into an exit code.',
  },
  cli: {
    mayImport: ['wire/wiring.ts', 'config', 'fleet', 'report', 'model', 'lib'],
    why: 'A command parses its options and prints a result; the pass, the agent and adapters reach it composed, through the wiring interface.',
  },
  wire: {
    mayImport: [
      'agent',
      'pass',
      'http',
      'fleet',
      'shared-storage',
      'surroundings',
      'verify',
      'sources',
      'references',
      'scan',
      'overlays',
      'execute',
      'ledger',
      'report',
      'kube',
      'config',
      'disk',
      'model',
      'lib',
    ],
    why: 'The composition root knows every adapter; only the entry points know the composition root.',
  },
  agent: {
    mayImport: ['kube/types.ts', 'model', 'lib'],
    why: 'The agent decides when a pass runs; the pass is given to it as a function.',
  },
  pass: {
    mayImport: ['references', 'plan', 'report', 'model', 'lib'],
    why: 'The pass joins pure stages and ports; it names no adapter, so that tests can hand it twins.',
  },
  http: { mayImport: ['report', 'model', 'lib'], why: 'The server shows reports; it knows nothing of where they come from.' },
  fleet: { mayImport: ['report', 'kube', 'model', 'lib'], why: 'The view of all nodes reads what agents report, through the API.' },
  'shared-storage': {
    mayImport: ['sources', 'disk', 'kube', 'model', 'lib'],
    why: 'The whole feature of one directory with several hosts; it reads the other hosts by the mappers of the sources.',
  },
  surroundings: {
    mayImport: ['shared-storage', 'disk', 'model', 'lib'],
    why: 'What a pass relies on without asking: which directories these are, who else has them, what time it is; it reads the registry as shared-storage does.',
  },
  verify: { mayImport: ['images', 'disk', 'model', 'lib'], why: 'Verification reads base files and their headers; it decides nothing.' },
  config: { mayImport: ['model', 'lib'], why: 'The configuration is read before anything exists that it could configure.' },
  sources: { mayImport: ['disk', 'kube', 'model', 'lib'], why: STAGE_WHY },
  references: { mayImport: ['model', 'lib'], why: STAGE_WHY },
  scan: { mayImport: ['disk', 'model', 'lib'], why: STAGE_WHY },
  overlays: { mayImport: ['images', 'disk', 'model', 'lib'], why: STAGE_WHY },
  plan: { mayImport: ['model', 'lib'], why: STAGE_WHY },
  execute: { mayImport: ['disk', 'model', 'lib'], why: STAGE_WHY },
  ledger: {
    mayImport: ['disk', 'model', 'lib'],
    why: 'The ledger writes down what others are about to do; it reaches them by its port and knows no executor.',
  },
  report: { mayImport: ['kube', 'model', 'lib'], why: STAGE_WHY },
  images: {
    mayImport: ['disk', 'model', 'lib'],
    why: 'Image headers are read for overlays and for verification alike, so they are below both.',
  },
  kube: { mayImport: ['model', 'lib'], why: 'The API client knows nothing of its users.' },
  disk: { mayImport: ['model', 'lib'], why: 'The one door to a changed file system; it knows files and no verdicts.' },
  lib: { mayImport: ['model'], why: 'Clock, errors and logger are below every stage.' },
  model: { mayImport: [], why: 'The vocabulary depends on nothing: everything else depends on it.' },
};

/** Stages and config: a file there is pure unless it is named below. */
export const STAGES_WITH_PURE_FILES: readonly string[] = [
  'config',
  'model',
  'sources',
  'references',
  'scan',
  'overlays',
  'images',
  'plan',
  'execute',
  'ledger',
  'report',
  'shared-storage',
  'surroundings',
  'verify',
  'fleet',
  'http',
];

/** The thin shells around the pure files: only these touch disk, network, clock or process. Each line is a decision. */
export const SHELLS: readonly string[] = [
  'src/execute/batches.ts',
  'src/execute/executor.ts',
  'src/execute/trash/execute-trash.ts',
  'src/fleet/cleanup.ts',
  'src/fleet/doctor/nova/read-config.ts',
  'src/fleet/doctor/surroundings.ts',
  'src/fleet/fleet.ts',
  'src/fleet/list-agents.ts',
  'src/fleet/list-nodes.ts',
  'src/fleet/watch.ts',
  'src/http/certificate.ts',
  'src/http/door.ts',
  'src/http/history-route.ts',
  'src/http/open-routes.ts',
  'src/http/page-routes.ts',
  'src/http/server.ts',
  'src/http/streams.ts',
  'src/images/reader.ts',
  'src/ledger/directory.ts',
  'src/ledger/head.ts',
  'src/ledger/ledger.ts',
  'src/ledger/reading/lines.ts',
  'src/ledger/reading/open-ledger.ts',
  'src/ledger/new-segment.ts',
  'src/ledger/recovery.ts',
  'src/ledger/retention.ts',
  'src/ledger/segment.ts',
  'src/ledger/writer.ts',
  'src/overlays/as-nova.ts',
  'src/overlays/base-file-index.ts',
  'src/overlays/declared-formats.ts',
  'src/overlays/listing.ts',
  'src/overlays/mounted-files.ts',
  'src/overlays/name-budget.ts',
  'src/overlays/named-disks.ts',
  'src/overlays/not-images.ts',
  'src/overlays/overlay-scanner.ts',
  'src/overlays/places.ts',
  'src/overlays/tree-walk.ts',
  'src/overlays/visit.ts',
  'src/report/events/recorder.ts',
  'src/report/events/sender.ts',
  'src/report/metrics/metric-set.ts',
  'src/report/metrics/metrics.ts',
  'src/report/metrics/space.ts',
  'src/report/metrics/scrape.ts',
  'src/report/node/kube-reporter.ts',
  'src/report/node/writer.ts',
  'src/report/publish.ts',
  'src/report/status-page/renderer.ts',
  'src/scan/base-scanner.ts',
  'src/scan/footprint.ts',
  'src/scan/trash.ts',
  'src/shared-storage/host-watches.ts',
  'src/shared-storage/membership.ts',
  'src/shared-storage/registry.ts',
  'src/shared-storage/own-report.ts',
  'src/shared-storage/report-files.ts',
  'src/shared-storage/source.ts',
  'src/sources/file/source.ts',
  'src/sources/libvirt/domain-files.ts',
  'src/sources/libvirt/pools.ts',
  'src/sources/libvirt/source.ts',
  'src/sources/pins/source.ts',
  'src/sources/pods/claims/claims.ts',
  'src/sources/pods/source.ts',
  'src/sources/rules/source.ts',
  'src/sources/vmis/source.ts',
  'src/surroundings/alone.ts',
  'src/surroundings/directories.ts',
  'src/surroundings/file-clock.ts',
  'src/surroundings/nfs-share.ts',
  'src/surroundings/surroundings.ts',
  'src/verify/checksums/directory.ts',
  'src/verify/checksums/keeper.ts',
  'src/verify/checksums/paced-hash.ts',
  'src/verify/checksums/round.ts',
  'src/verify/verifier.ts',
];

export const PURE_WHY =
  'A pure file decides from its arguments alone: it imports pure files only, and reads no clock, disk, network or process.';

/** Files below the stages that compute and do nothing else. */
export const PURE_BELOW: readonly string[] = [
  'src/disk/entry-name.ts',
  'src/disk/raw-name.ts',
  'src/disk/times.ts',
  'src/lib/errors.ts',
  'src/lib/exemption.ts',
  'src/lib/image-reference.ts',
  'src/lib/json.ts',
  'src/lib/or-aborted.ts',
  'src/lib/patterns/anchored-pattern.ts',
  'src/lib/patterns/file-glob.ts',
  'src/lib/patterns/json-path.ts',
  'src/lib/patterns/path-glob.ts',
  'src/lib/patterns/watched-object.ts',
  'src/lib/pieces.ts',
  'src/lib/rows.ts',
  'src/lib/slices.ts',
  'src/lib/text.ts',
  'src/lib/timestamp.ts',
  'src/lib/yaml/document.ts',
  'src/lib/yaml/keys.ts',
  'src/lib/yaml/write.ts',
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
  'p-limit',
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
  'fs-native-extensions': { door: 'src/disk/', why: 'Locks are taken where files are changed, and nowhere else.' },
  'prom-client': { door: 'src/report/metrics/', why: 'A metric is how a report is shown, not how it is computed.' },
  ws: { door: 'src/kube/', why: 'Only the API client opens connections to the API server.' },
  'node:child_process': { door: 'nowhere', why: 'The agent runs in an image without any other program.' },
};

export const EXIT_WHY = 'Only process.ts ends the process; everything else returns or throws, so that what is held gets released.';
