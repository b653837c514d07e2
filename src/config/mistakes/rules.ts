import { CronTime } from 'cron';
import { messageOf } from '../../lib/errors.ts';
import { compileFileGlob } from '../../lib/patterns/file-glob.ts';
import type { Path } from '../../lib/yaml/document.ts';
import { asksCluster, hasSources, SOURCE_NAMES } from '../source-kinds.ts';
import type { ParsedSettings } from '../schema/schema.ts';
import { selectorMistakes } from './selectors.ts';
import type { Config } from '../types.ts';
import { workloadRuleMistakes } from './workload-rules.ts';

/** A mistake that only shows when keys are seen together. */
export interface RuleMistake {
  readonly path: Path;
  readonly message: string;
  /** Keys it was judged by, besides its own: a mistake is not reported while one of these is wrong itself. */
  readonly judgedBy?: readonly string[];
}

/** What a rule sees: the values as given, and the same with every default filled in. */
interface Given {
  readonly settings: ParsedSettings;
  readonly config: Config;
}
type Rule = (given: Given) => readonly RuleMistake[];

const one = (when: boolean, path: Path, message: string, judgedBy: readonly string[] = []): readonly RuleMistake[] =>
  when ? [{ path, message, judgedBy }] : [];

const ScheduleOrInterval: Rule = ({ settings }) =>
  one(
    settings.schedule !== undefined && settings.intervalSeconds !== undefined,
    ['intervalSeconds'],
    'cannot be used together with schedule; remove one of the two',
    ['schedule'],
  );

const ScheduleFires: Rule = ({ settings }) => {
  if (settings.schedule === undefined) return [];
  const problem = cronProblem(settings.schedule);
  return one(
    problem !== undefined,
    ['schedule'],
    `is not a cron expression that ever fires: ${problem}; write five fields, such as "*/40 * * * *"`,
  );
};

/** Why the package that runs the schedule would refuse it. */
function cronProblem(expression: string): string | undefined {
  try {
    // From a fixed date: a rule reads no clock. An expression that fires within eight years of any date fires after 1970 as well.
    new CronTime(expression, 'UTC').getNextDateFrom(new Date(0));
    return undefined;
  } catch (error) {
    // The package throws plain errors, each for something in the expression.
    if (!(error instanceof Error)) throw error;
    return error.message.replace(/^Something went wrong\. /, '').replace(/\.?(\n[^]*)?$/, '');
  }
}

const TimeZoneKnown: Rule = ({ settings: { timeZone, schedule } }) => {
  if (timeZone === undefined) return [];
  return [
    ...one(schedule === undefined, ['timeZone'], 'has a meaning only with schedule; remove it or give a schedule', ['schedule']),
    ...one(
      !isTimeZone(timeZone),
      ['timeZone'],
      `is not a time zone: ${JSON.stringify(timeZone)}; use an IANA name such as Europe/Berlin or UTC`,
    ),
  ];
};

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const JitterWithinInterval: Rule = ({ config: { schedule } }) =>
  one(
    schedule.kind === 'interval' && schedule.jitterSeconds > schedule.intervalSeconds,
    ['jitterSeconds'],
    `must be at most intervalSeconds (${schedule.kind === 'interval' ? schedule.intervalSeconds : 0}), not ${schedule.jitterSeconds}; lower it`,
    ['intervalSeconds', 'schedule'],
  );

const FloorGoneWithNovaOnly: Rule = ({ settings }) =>
  one(
    settings.minimumAgeFloorSeconds === 0 && settings.preset !== 'nova',
    ['minimumAgeFloorSeconds'],
    'must be at least 1, not 0: Nova writes a base file before the disk that uses it; 0 is possible with "preset: nova" only',
    ['preset'],
  );

const MinimumAgesAboveFloor: Rule = ({ settings }) =>
  (['removeUnusedOriginalMinimumAgeSeconds', 'removeUnusedResizedMinimumAgeSeconds'] as const).flatMap((key) =>
    one(
      settings[key] < settings.minimumAgeFloorSeconds,
      [key],
      `must be at least minimumAgeFloorSeconds (${settings.minimumAgeFloorSeconds}), not ${settings[key]}; raise it, or lower minimumAgeFloorSeconds as well if you mean it`,
      ['minimumAgeFloorSeconds'],
    ),
  );

const DeadlineAboveLockTimeout: Rule = ({ settings }) =>
  one(
    settings.passDeadlineSeconds <= settings.lockTimeoutSeconds,
    ['passDeadlineSeconds'],
    `must be more than lockTimeoutSeconds (${settings.lockTimeoutSeconds}), not ${settings.passDeadlineSeconds}: one busy lock would use up the pass`,
    ['lockTimeoutSeconds'],
  );

const PathsApart: Rule = ({ config }) => [
  ...one(config.instancesPath === '/', ['instancesPath'], 'must not be the root directory; give the directory of the instance directories'),
  ...one(
    config.hostInstancesPath === '/',
    ['hostInstancesPath'],
    'must not be the root directory; give the path by which image headers name the instances directory',
    ['instancesPath'],
  ),
  ...one(
    config.locksPath === config.basePath || config.locksPath.startsWith(`${config.basePath}/`),
    ['locksPath'],
    `must not lie in the base directory (${config.basePath}); Nova uses the directory locks beside it`,
    ['instancesPath', 'subdirectoryName'],
  ),
];

const ThresholdsOrdered: Rule = ({ settings: { pressure } }) =>
  one(
    pressure.lowThresholdPercent >= pressure.highThresholdPercent,
    ['pressure', 'lowThresholdPercent'],
    `must be less than pressure.highThresholdPercent (${pressure.highThresholdPercent}), not ${pressure.lowThresholdPercent}; lower it`,
    ['pressure'],
  );

const OneBudget: Rule = ({ settings: { budget } }) =>
  one(
    budget.maxBytes !== undefined && budget.maxPercentOfFilesystem !== undefined,
    ['budget', 'maxPercentOfFilesystem'],
    'cannot be used together with budget.maxBytes; remove one of the two',
    ['budget'],
  );

const HostNamesDiffer: Rule = ({ settings: { sharedStorage }, config }) =>
  one(
    sharedStorage.enabled && asksCluster(config.sources) && !sharedStorage.hostName.includes('$(NODE_NAME)'),
    ['sharedStorage', 'hostName'],
    'must contain $(NODE_NAME), such as $(NODE_NAME).example.org: agents of several nodes would take each other for themselves',
    ['sources'],
  );

const SharedOrAlone: Rule = ({ settings: { sharedStorage } }) =>
  one(
    sharedStorage.enabled && sharedStorage.alone,
    ['sharedStorage', 'alone'],
    'cannot be used together with sharedStorage.enabled; remove one of the two',
    ['sharedStorage'],
  );

const SomeSource: Rule = ({ config: { sources } }) =>
  one(
    !hasSources(sources),
    ['sources'],
    `must have at least one that is enabled: ${SOURCE_NAMES.slice(0, -1).join(', ')} or ${SOURCE_NAMES.at(-1)}; without one, every base file would look unused`,
  );

const NodeNameGiven: Rule = ({ config }) =>
  one(
    config.nodeName === '' && asksCluster(config.sources),
    ['nodeName'],
    'is required to ask the cluster for the workloads of this node; set it, or --node, or the environment variable NODE_NAME',
    ['sources'],
  );

const SelectorsSelect: Rule = ({ settings }) => [
  ...selectorMistakes(['sources', 'pods', 'selector'], settings.sources.pods.selector),
  ...settings.exemptPods.flatMap((pod, index) => selectorMistakes(['exemptPods', index, 'selector'], pod.selector)),
  ...settings.knownAgents.flatMap(({ selector }, index) => selectorMistakes(['knownAgents', index, 'selector'], selector)),
];

const ChecksumsWithVerification: Rule = ({ config: { verify } }) =>
  one(verify.checksums.enabled && !verify.enabled, ['verify', 'checksums', 'enabled'], 'needs verify.enabled: true', []);

const DoorsApart: Rule = ({ settings: { http } }) =>
  one(
    http.pagesPort !== 0 && http.pagesPort === http.port,
    ['http', 'pagesPort'],
    `must be another port than http.port (${http.port}): status page and report are served on loopback only`,
  );

const TokensEncrypted: Rule = ({ settings: { http } }) => {
  const asking = [['pages', http.pages === 'network'] as const, ['metrics', http.metrics === 'reviewed'] as const];
  return asking.flatMap(([key, asks]) =>
    one(
      asks && http.tls === undefined,
      ['http', key],
      `needs http.tls: "${http[key]}" asks for tokens, which must not cross the network in the clear`,
    ),
  );
};

const WorkloadRulesCompile: Rule = ({ settings }) => workloadRuleMistakes(settings.sources.rules);

const GlobsCompile: Rule = ({ settings: { pins } }) =>
  pins.fileNames.flatMap((glob, index) => {
    const problem = globProblem(glob);
    return one(problem !== undefined, ['pins', 'fileNames', index], `is not a glob over file names: ${problem}`);
  });

function globProblem(glob: string): string | undefined {
  try {
    compileFileGlob(glob);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const ExemptionsNamePods: Rule = ({ settings }) =>
  settings.exemptPods.flatMap((pod, index) =>
    one(
      pod.namespace === undefined && pod.selector === undefined,
      ['exemptPods', index],
      'must have namespace or selector; without either it would exempt every pod',
    ),
  );

const RULES: readonly Rule[] = [
  NodeNameGiven,
  PathsApart,
  ScheduleOrInterval,
  ScheduleFires,
  TimeZoneKnown,
  JitterWithinInterval,
  MinimumAgesAboveFloor,
  FloorGoneWithNovaOnly,
  DeadlineAboveLockTimeout,
  ThresholdsOrdered,
  OneBudget,
  HostNamesDiffer,
  SharedOrAlone,
  SomeSource,
  SelectorsSelect,
  ExemptionsNamePods,
  WorkloadRulesCompile,
  GlobsCompile,
  ChecksumsWithVerification,
  DoorsApart,
  TokensEncrypted,
];

/** Every mistake that the rules find; `wrong` are the paths that already have an error of their own. */
export function findMistakes(given: Given, wrong: readonly Path[]): readonly RuleMistake[] {
  const isWrong = (path: Path) => wrong.some((other) => overlap(path, other));
  return RULES.flatMap((rule) => rule(given)).filter(
    ({ path, judgedBy = [] }) => !isWrong(path) && !judgedBy.some((key) => isWrong([key])),
  );
}

function overlap(left: Path, right: Path): boolean {
  return left.slice(0, right.length).every((part, index) => part === right[index]);
}
