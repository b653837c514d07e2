import { startsWith, type ImageFormat } from './format.ts';

/** A format that may name a parent in a place that is not read: such an image may be backed by anything. */
function unread(name: string, magics: readonly string[]): ImageFormat {
  const bytes = magics.map((magic) => Buffer.from(magic, 'latin1'));
  return {
    name,
    probe: (head) => bytes.some((magic) => startsWith(head, magic)),
    parse: () => ({ kind: 'image', format: name, unclear: `${name} images may have a parent, which is not read` }),
  };
}

/** The parents of Parallels' images are named in an XML file beside them. */
export const parallels = unread('parallels', ['WithoutFreeSpace', 'WithouFreSpacExt']);
export const bochs = unread('bochs', ['Bochs Virtual HD Image']);
