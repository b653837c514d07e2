/** What a release is made of: everything that its files follow from. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { changesOf } from './changelog.ts';

export interface Release {
  readonly version: string;
  /** Host and path below which image, chart and plugin are published, such as `ghcr.io/basekeeper`. */
  readonly registry: string;
  /** Where the source and the release's files are, such as `https://github.com/basekeeper/basekeeper`. */
  readonly source: string;
  /** The commit. */
  readonly revision: string;
  /** The commit's time: everything in the release is as old as that. */
  readonly epochSeconds: number;
  readonly changes: string;
}

const REGISTRY = /^[a-z0-9.-]+(?::\d+)?(?:\/[a-z0-9._-]+)*$/;

/** Reads version-dependent parts from the tree at `root`. `SOURCE_DATE_EPOCH` stands in for the commit's time where there is no git. */
export function describeRelease(root: string, options: { version: string; registry: string; source: string }, env = process.env): Release {
  const { version, registry, source } = options;
  if (!REGISTRY.test(registry)) throw new Error(`--registry ${registry}: must be a host and a path, such as ghcr.io/basekeeper`);
  if (!/^https:\/\/\S+[^/]$/.test(source)) throw new Error(`--source ${source}: must be an https address without "/" at its end`);
  for (const [path, found] of Object.entries(versionsIn(root))) {
    if (found !== version) throw new Error(`${path} is of version ${found}, not ${version}: set it, and run npm run generate:chart`);
  }
  const epoch = env['SOURCE_DATE_EPOCH'];
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  return {
    version,
    registry,
    source,
    revision: epoch === undefined ? git('rev-parse', 'HEAD') : 'unknown',
    epochSeconds: Number(epoch ?? git('log', '-1', '--format=%ct')),
    changes: changesOf(readFileSync(`${root}CHANGELOG.md`, 'utf8'), version),
  };
}

/** Each place that says which version this is. */
export function versionsIn(root: string): Readonly<Record<string, string>> {
  const chart = readFileSync(`${root}charts/basekeeper/Chart.yaml`, 'utf8');
  const ofChart = (key: string) => new RegExp(`^${key}: (\\S+)$`, 'm').exec(chart)?.[1] ?? 'unknown';
  const json = (path: string) => JSON.parse(readFileSync(root + path, 'utf8')) as { version: string };
  return {
    'package.json': json('package.json').version,
    'package-lock.json': json('package-lock.json').version,
    'charts/basekeeper/Chart.yaml (version)': ofChart('version'),
    'charts/basekeeper/Chart.yaml (appVersion)': ofChart('appVersion'),
  };
}
