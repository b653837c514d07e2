import type { WorkloadDisk } from '../../model/workload.ts';

/** A file that a domain names, or why it is not known which one. */
export interface FoundFile {
  readonly disk?: WorkloadDisk | undefined;
  readonly problem?: string | undefined;
}

export const NOTHING: FoundFile = {};

export function diskAt(path: string, format?: string): FoundFile {
  if (path === '') return NOTHING;
  // As it is written: a `..` behind a link must not be taken away before the link is followed.
  if (!path.startsWith('/') || path.includes('\0'))
    return { problem: `it names the file ${JSON.stringify(path)}, which is not an absolute path` };
  return { disk: format === undefined ? { path } : { path, format } };
}

/** Firmware, its variables, a kernel: often a file of the host that is not mounted here. */
export function loadedFile(path: string, format = 'raw'): FoundFile {
  const { disk, problem } = diskAt(path, format);
  return disk === undefined || format !== 'raw' ? { disk, problem } : { disk: { ...disk, isLoaded: true } };
}
