import { diskAt, type FoundFile } from './found-file.ts';
import { childOf, type XmlElement } from './xml-tree.ts';

const QEMU_NAMESPACE = 'http://libvirt.org/schemas/domain/qemu/1.0';

/** Files that a domain names for QEMU itself: on its command line, in its environment, and in overridden properties of devices. */
export function filesForQemu(domain: XmlElement): FoundFile[] {
  const commandLine = qemuElement(domain, 'commandline');
  const values = (name: string): string[] => elements(commandLine, name).map(({ attributes }) => attributes.get('value') ?? '');
  const properties = [...allBelow(qemuElement(domain, 'override'))].flatMap(({ attributes }) => {
    const value = attributes.get('value');
    return value === undefined ? [] : [`${attributes.get('name') ?? ''}=${value}`];
  });
  const args = values('arg');
  const named = [...args.flatMap(filesInArgument), ...properties.flatMap((property) => filesInArgument(property, 0, [property]))];
  const known = new Set(named.map(({ disk }) => disk?.path));
  const mentioned = [...args, ...values('env'), ...properties].flatMap(pathsIn).filter((path) => !known.has(path));
  // QEMU takes no disk from these words. A memory device, a table or a script may need the file: a base file stays, and nothing has to be there.
  return [...named, ...[...new Set(mentioned)].map((path) => ({ disk: { path, isLoaded: true } }))];
}

function qemuElement(domain: XmlElement, name: string): XmlElement | undefined {
  return childOf(domain, name, [QEMU_NAMESPACE]);
}

function elements(parent: XmlElement | undefined, name: string): readonly XmlElement[] {
  return parent?.children.filter((child) => child.name === name && child.namespace === QEMU_NAMESPACE) ?? [];
}

function* allBelow(element: XmlElement | undefined): Iterable<XmlElement> {
  for (const child of element?.children ?? []) {
    yield child;
    yield* allBelow(child);
  }
}

/**
 * A key that ends in `file`, `filename` or `backing`, whatever stands before it, with its value: `file=`, `file.file.filename=`,
 * `drive.x.file=`, and the same in JSON, which QEMU also takes with single quotes. Commas in plain values are doubled.
 */
const FILE_OPTION = /[\w.-]*(?:file|filename|backing)(?:=((?:[^,]|,,)*)|"\s*:\s*"((?:[^"\\]|\\.)*)"|'\s*:\s*'((?:[^'\\]|\\.)*)')/g;

/** A relative path, or one behind a protocol, may be any file. No format is read here: a file of the command line may have any. */
function filesInArgument(argument: string, index: number, all: readonly string[]): FoundFile[] {
  const option = all[index - 1] ?? '';
  if (/^--?readconfig$/.test(option))
    return [{ problem: `its command line reads options from ${JSON.stringify(argument)}, which may name any file` }];
  if (/^--?incoming$/.test(option) && /\bexec\b/.test(argument))
    return [
      { problem: `its command line runs a program, ${JSON.stringify(argument)}, which may read any file; take it out of the definition` },
    ];
  // Where a header does not lie at the start of its file, it is not read.
  if (/\boffset\b/.test(argument)) return [{ problem: `its command line has ${JSON.stringify(argument)}, whose offset is not followed` }];
  const named = [...argument.matchAll(FILE_OPTION)].map(
    ([, plain, double, single]) => plain?.replaceAll(',,', ',') ?? unescape(double ?? single ?? ''),
  );
  const bare = /^\/[^,\s]*$/.test(argument) ? [argument] : [];
  return [...named, ...bare].map((path) => diskAt(path.replace(/^file:/, '')));
}

function unescape(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return text.replaceAll(/\\(.)/g, '$1');
  }
}

/** An absolute path that is a whole value or a whole string, and one that is a word of it: both readings count. */
const PATHS = [/=(\/(?:[^,]|,,)*)/g, /"(\/(?:[^"\\]|\\.)*)"/g, /'(\/(?:[^'\\]|\\.)*)'/g, /(?<![\w.~+%/-])(\/(?:[^,\s"'|;&<>():]|,,)+)/g];

function pathsIn(text: string): string[] {
  const found = PATHS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, path = '']) => unescape(path.replaceAll(',,', ','))));
  return found.filter((path) => !path.includes('\0'));
}
