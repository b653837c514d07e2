import { readFileSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

/** What every process may have, where the kernel does not say. */
const USUAL_LIMIT = 1024;

/** How many files this process may have open. Node.js raises it to the hard limit as it starts. */
export function openFilesLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    if (soft === 'unlimited') return Number.POSITIVE_INFINITY;
    return soft === undefined ? USUAL_LIMIT : Number(soft);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return USUAL_LIMIT;
  }
}
