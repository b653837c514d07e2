import { createHash } from 'node:crypto';

/** What Nova calls the base file of the image with this id. */
export function sha(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
