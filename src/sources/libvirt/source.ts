import { uniqueBy } from '../../lib/by-key.ts';
import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, messageOf } from '../../lib/errors.ts';
import type { Clock, WorkloadSource } from '../../model/ports.ts';
import type { Gap, SourceReading, SourceStatus, Workload } from '../../model/workload.ts';
import { differentDisks } from './disks.ts';
import { LIBVIRT_SOURCE } from './domain.ts';
import { DomainDirectory, type DomainFile } from './domain-files.ts';
import { poolTargets } from './pools.ts';

/** What was just read is fresh. */
const FRESH_LIMIT_MS = 60_000;
/** libvirt rewrites a file in several steps; what inotify reports within this time is one change. */
const SETTLE_MS = 200;

export interface LibvirtSourceOptions {
  /** Status files of live domains: `/run/libvirt/qemu` of the host. */
  readonly statusPath: string;
  /** Definitions of domains: `/etc/libvirt/qemu` of the host. */
  readonly definitionsPath: string;
  /** As on the host; normalized. */
  readonly instancesPath: string;
  readonly clock: Clock;
}

/**
 * The domains of the host's libvirtd, from its files: no socket, no write. Every domain that exists, running or only
 * defined, protects. Read again at every `read()`; inotify has changed files parsed before a pass needs them.
 */
export function createLibvirtSource(options: LibvirtSourceOptions): WorkloadSource {
  // libvirtd reads no definition from `autostart`, where its links lie. A file there may be all that is left of a domain.
  const paths = [options.statusPath, options.definitionsPath, join(options.definitionsPath, 'autostart')];
  const pools = poolTargets(options.definitionsPath);
  const directories = paths.map((path, index) => new DomainDirectory(path, options.instancesPath, pools, { leavesLinks: index === 2 }));
  let watchers: FSWatcher[] = [];
  let settling: NodeJS.Timeout | undefined;
  const changed = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => readDirectories(options, directories), SETTLE_MS).unref();
  };
  return {
    name: LIBVIRT_SOURCE,
    start() {
      watchers = paths.flatMap((path) => tryWatch(path, changed));
    },
    stop() {
      clearTimeout(settling);
      for (const watcher of watchers) watcher.close();
      return Promise.resolve();
    },
    read: () => Promise.resolve(readDirectories(options, directories)),
  };
}

/** A directory that does not exist yet is read at the next pass anyway. */
function tryWatch(path: string, changed: () => void): FSWatcher[] {
  try {
    const watcher = watch(path, { persistent: false }, changed);
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

function readDirectories(options: LibvirtSourceOptions, directories: readonly DomainDirectory[]): SourceReading {
  const startedAtMs = options.clock.now().wallMs;
  const status = { name: LIBVIRT_SOURCE, lastContactMs: startedAtMs, freshLimitMs: FRESH_LIMIT_MS };
  const fail = (message: string): SourceReading => ({
    status: { ...status, state: 'failed', consistentListAtMs: undefined, message },
    workloads: [],
    gaps: [{ kind: 'UnreadableSource', source: LIBVIRT_SOURCE, message }],
  });
  try {
    const listings = directories.map((directory) => directory.read());
    if (listings.every((listing) => listing === undefined)) {
      return fail(
        `neither ${options.statusPath} nor ${options.definitionsPath} exists: mount the host's directories, or switch the source off`,
      );
    }
    if (listings[1] === undefined) {
      return fail(
        `${options.definitionsPath} does not exist, so domains that are shut off cannot be seen: mount the host's directory, or correct sources.libvirt.definitionsPath`,
      );
    }
    const synced: SourceStatus = { ...status, state: 'synced', consistentListAtMs: startedAtMs };
    return { status: synced, ...mergeDomains(listings.flatMap((listing) => listing ?? [])) };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return fail(messageOf(error));
  }
}

/** A live domain has a status file and mostly a definition as well; both protect, under one name. */
export function mergeDomains(files: readonly DomainFile[]): { workloads: Workload[]; gaps: Gap[] } {
  const byUuid = new Map<string, Workload>();
  const gaps: Gap[] = [];
  for (const file of files) {
    if ('problem' in file) {
      gaps.push({ kind: 'UnreadableSource', source: LIBVIRT_SOURCE, message: `${file.path}: ${file.problem}` });
      continue;
    }
    const { uuid, workload, problems } = file.domain;
    const known = byUuid.get(uuid);
    byUuid.set(uuid, known === undefined ? workload : union(known, workload));
    gaps.push(
      ...problems.map((problem) => ({ kind: 'IncompleteWorkload', source: LIBVIRT_SOURCE, message: `${file.path}: ${problem}` }) as const),
    );
  }
  return { workloads: [...byUuid.values()], gaps };
}

function union(one: Workload, other: Workload): Workload {
  return {
    ...one,
    instanceNames: [...new Set([...one.instanceNames, ...other.instanceNames])],
    images: uniqueBy([...one.images, ...other.images], ({ role, ref }) => `${role} ${ref}`),
    swapMb: [...new Set([...one.swapMb, ...other.swapMb])],
    ephemeral: uniqueBy([...one.ephemeral, ...other.ephemeral], ({ sizeGb, filesystem }) => `${sizeGb} ${filesystem}`),
    paths: [...new Set([...one.paths, ...other.paths])],
    mentions: [...new Set([...(one.mentions ?? []), ...(other.mentions ?? [])])],
    disks: differentDisks([...(one.disks ?? []), ...(other.disks ?? [])]),
  };
}
