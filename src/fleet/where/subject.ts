import { cacheFileName, digestOfName } from '../../model/names.ts';
import { IMAGE_PREFIX_LENGTH } from '../../report/image-list.ts';

/** What is looked for, as nodes publish it. */
export interface WhereSubject {
  /** The image id, file name or path that was asked for. */
  readonly asked: string;
  /** The first digits of the image's SHA-1; undefined for swap and ephemeral files, which only agents know. */
  readonly prefix: string | undefined;
}

/** Reads an image id, the name of a base file, or its path below any `_base`. */
export function whereSubject(asked: string): WhereSubject {
  const name = asked.slice(asked.lastIndexOf('/') + 1);
  if (/^(?:swap_|ephemeral_)\d/.test(name)) return { asked, prefix: undefined };
  const digest = /^[0-9a-f]{40}(?:_|$)/.test(name) ? digestOfName(name) : undefined;
  return { asked, prefix: (digest ?? cacheFileName(asked)).slice(0, IMAGE_PREFIX_LENGTH) };
}
