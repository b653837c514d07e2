import * as z from 'zod/mini';
import { KNOWN_AGENTS } from '../known-agents.ts';
import { described, flag, TEN_YEARS_SECONDS, seconds, optionalSeconds, absolutePath, text } from './parts.ts';
import { MAX_PATH_GLOB_LENGTH } from '../../lib/patterns/path-glob.ts';
import { http } from './http.ts';
import { pins } from './pins.ts';
import { budget, ledger, pressure, trash, verify } from './removal.ts';
import { exemptPod, knownAgent, sources } from './sources.ts';

/** What `setTimeout` can wait: longer delays would fire at once. */
const MAXIMUM_TIMER_SECONDS = 2_147_483;

const sharedStorage = z
  .prefault(
    z.strictObject({
      enabled: flag(
        false,
        'Other hosts have the instances directory mounted as well: register in `compute_nodes`, and remove only what no host uses.',
      ),
      alone: flag(
        false,
        'No other host has the instances directory mounted, whatever `compute_nodes` or the kind of its file system says. Without this, such signs close the gate while sharedStorage is off.',
      ),
      hostTimeoutSeconds: seconds(
        86_400,
        600,
        TEN_YEARS_SECONDS,
        "How long a registration counts; Nova's `TWENTY_FOUR_HOURS`. The same on all hosts that share the directory.",
      ),
      hostName: z
        ._default(
          z
            .string()
            .check(
              z.maxLength(200),
              z.regex(/^(\$\(NODE_NAME\)|[A-Za-z0-9._-])+$/, { error: 'must be letters, digits, ".", "_", "-" and $(NODE_NAME)' }),
            ),
          '$(NODE_NAME)',
        )
        .check(described("What Nova calls this host (its `host`), by which it is registered. `$(NODE_NAME)` stands for the node's name.")),
      settleSeconds: seconds(
        3600,
        0,
        TEN_YEARS_SECONDS,
        'How long nothing is removed after the first agent of the directory has registered: nova-compute registers every 40 minutes, agents when they start.',
      ),
      staleHosts: z
        ._default(z.enum(['hold', 'ignore']), 'hold')
        .check(
          described(
            '`hold`: a host that has not registered for hostTimeoutSeconds holds removals, until it comes back or is forgotten. `ignore`: it counts no longer.',
          ),
        ),
      ignoredHosts: z
        ._default(z.array(text()), [])
        .check(described('Hosts, as the registry names them, that do not count: they are gone, or use the directory no longer.')),
    }),
    {},
  )
  .check(described('An instances directory that several hosts share, such as on NFS.'));

const log = z
  .prefault(
    z.strictObject({
      level: z._default(z.enum(['debug', 'info', 'warn', 'error']), 'info').check(described('Least severe level that is logged.')),
    }),
    {},
  )
  .check(described('Logging.'));

/**
 * Every key of the configuration file. Defaults are those of the preset `safe`; what `nova` changes is in preset.ts.
 * Strict: a key that is not here is an error.
 */
export const settingsSchema = z.strictObject({
  preset: z
    ._default(z.enum(['safe', 'nova']), 'safe')
    .check(described("`nova` sets every switch below to Nova's way unless it is given explicitly.")),
  mode: z
    ._default(z.enum(['off', 'dry-run', 'enforce']), 'dry-run')
    .check(
      described(
        'What the agent does: nothing, report what it would remove, or remove. `basekeeper pass` removes unless this is `off`, because a person asked for it.',
      ),
    ),
  nodeName: z
    .optional(
      z
        .string()
        .check(
          z.maxLength(253),
          z.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, { error: 'must be a node name: lower-case letters, digits, "-" and "."' }),
        ),
    )
    .check(described('Name of this node as Kubernetes knows it. Default: the environment variable NODE_NAME.')),
  instancesPath: z
    ._default(absolutePath(), '/var/lib/nova/instances')
    .check(described("Nova's `instances_path`: the directory of the instance directories.")),
  hostInstancesPath: z
    .optional(absolutePath())
    .check(
      described(
        'The path by which image headers and pods name the instances directory, where it is mounted elsewhere here. Default: `instancesPath`.',
      ),
    ),
  subdirectoryName: z
    ._default(
      z.string().check(
        z.regex(/^\.{0,2}[^./\p{Cc}][^/\p{Cc}]*$/u, {
          error: 'must be the name of one directory below instancesPath, such as _base',
        }),
      ),
      '_base',
    )
    .check(described("Nova's `image_cache.subdirectory_name`: the base directory below `instancesPath`.")),
  locksPath: z.optional(absolutePath()).check(described("Where Nova's lock files are. Default: `locks` below `instancesPath`.")),
  schedule: z.optional(text()).check(described('Cron expression of five fields, or six with seconds first. Instead of `intervalSeconds`.')),
  timeZone: z.optional(text()).check(described('IANA time zone of `schedule`. Default: UTC.')),
  intervalSeconds: optionalSeconds(
    1,
    MAXIMUM_TIMER_SECONDS,
    'Seconds from the start of one pass to the next. Default: 2400, unless `schedule` is given.',
  ),
  jitterSeconds: optionalSeconds(
    0,
    MAXIMUM_TIMER_SECONDS,
    "Each node's passes are later by a fixed offset below this, derived from its name. So a cluster's nodes do not all ask at once. Default: 300, or `intervalSeconds` where that is less.",
  ),
  removeUnusedBaseImages: flag(true, "Nova's `remove_unused_base_images`: false removes nothing."),
  removeUnusedOriginalMinimumAgeSeconds: seconds(
    86_400,
    0,
    TEN_YEARS_SECONDS,
    "Nova's `remove_unused_original_minimum_age_seconds`: how long an original, swap or ephemeral file must have been unused.",
  ),
  removeUnusedResizedMinimumAgeSeconds: seconds(
    3600,
    0,
    TEN_YEARS_SECONDS,
    "Nova's `remove_unused_resized_minimum_age_seconds`: how long a resized or legacy file must have been unused.",
  ),
  minimumAgeFloorSeconds: seconds(
    600,
    0,
    TEN_YEARS_SECONDS,
    'No minimum age may be below this: a base file of an instance that is just being built is in use by nobody yet. 0 is possible with `preset: nova` only.',
  ),
  maxRemovalsPerPass: z
    .optional(z.int().check(z.gte(0)))
    .check(
      described(
        'Most files that one pass removes, oldest first; the rest stays for the next pass. 0: no limit. Default: a quarter of the base files, at least 10; no limit under `pressure`, or with `preset: nova`.',
      ),
    ),
  lockTimeoutSeconds: seconds(10, 0, 3600, "How long to wait for a file's Nova lock before the file is left for the next pass."),
  passDeadlineSeconds: seconds(
    1800,
    1,
    MAXIMUM_TIMER_SECONDS,
    'A pass that runs longer is abandoned; /healthz fails when no pass ended in time.',
  ),
  naming: z
    ._default(z.enum(['strict', 'nova']), 'strict')
    .check(described('`strict`: only lower-case hexadecimal names are base files. `nova`: any 40 characters are.')),
  overlays: z
    ._default(z.enum(['all', 'nova']), 'all')
    .check(
      described(
        '`all`: every image below the instances path, whole chains. `nova`: only `disk` of known instances, one level; a base file that backs another counts anyway, but for `preset: nova`.',
      ),
    ),
  forceRawImages: flag(
    false,
    "Nova's `force_raw_images`: true says that every base file is raw, so that what a guest's image looks like holds nothing. What its bytes name is kept in any case.",
  ),
  ignore: z
    ._default(z.array(text().check(z.maxLength(MAX_PATH_GLOB_LENGTH))), [])
    .check(
      described(
        'Globs over paths, relative to `instancesPath` or absolute outside: what cannot be read or understood there cannot lead to a base file, so it holds nothing. Images there that can be read protect as all others do.',
      ),
    ),
  touchBackingFiles: flag(true, "Set the mtime of files that only an overlay's header names, so that their age counts from the last use."),
  removeLockFiles: flag(false, 'Remove the lock file after a removal, as Nova does. That can split a lock between waiters.'),
  allowEmptyInventory: flag(false, 'Allow removals although no source knows a single workload.'),
  liveUseCheck: flag(true, 'Before a removal, ask for the image locks that a running QEMU holds.'),
  pins,
  sources,
  pressure,
  budget,
  sharedStorage,
  trash,
  ledger,
  verify,
  exemptPods: z
    ._default(z.array(exemptPod), [])
    .check(described('Pods that may mount the instances path without being a workload, such as a backup.')),
  knownAgents: z
    ._default(z.array(knownAgent), KNOWN_AGENTS)
    .check(
      described(
        'Agents of nodes that may mount and write directories far above the instances path. The default is the list in [neighbours.md](neighbours.md). A list of your own replaces it; `[]` switches it off.',
      ),
    ),
  annotations: flag(true, "Write the summary to the node's annotations."),
  events: flag(true, 'Write events about the node and its workloads.'),
  heartbeatSeconds: seconds(3600, 60, MAXIMUM_TIMER_SECONDS, 'Annotations are written again after this, even when nothing changed.'),
  http,
  log,
});

/** A configuration as a file may give it: every key may be absent. */
export type SettingsInput = z.input<typeof settingsSchema>;
/** A configuration whose defaults are filled in, except those that depend on other keys. */
export type ParsedSettings = z.output<typeof settingsSchema>;

/** The JSON Schema (draft 7) of the configuration file; the chart's values.schema.json is made from it. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(settingsSchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      // `{}` as the default of a section says nothing, and so does "an integer".
      if (isEmptyObject(jsonSchema.default)) delete jsonSchema.default;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return { $schema: schema.$schema, title: 'Basekeeper configuration', ...schema };
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
