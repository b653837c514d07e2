import { SaxesParser } from 'saxes';

/** An element with resolved namespaces; text is its own, not its children's. */
export interface XmlElement {
  readonly name: string;
  /** Empty for no namespace. */
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

interface OpenElement {
  name: string;
  namespace: string;
  attributes: Map<string, string>;
  children: OpenElement[];
  text: string;
}

/** libvirt's own documents are a few dozen deep and a few dozen KiB long. */
const MAX_DEPTH = 100;
const MAX_ELEMENTS = 100_000;

/**
 * The root element of a complete, well-formed document. Throws an `Error` that says where it is not: half-written files,
 * document type declarations (no entity but XML's own five is ever expanded) and documents deeper or longer than any that
 * libvirt writes.
 */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const open: OpenElement[] = [];
  let root: OpenElement | undefined;
  let count = 0;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Error('a document type declaration is not allowed');
  });
  parser.on('opentag', ({ local, uri, attributes }) => {
    if (open.length >= MAX_DEPTH || ++count > MAX_ELEMENTS) throw new Error('the document is nested too deeply or has too many elements');
    const own = Object.values(attributes).map(({ name, value }) => [name, value] as const);
    const element: OpenElement = { name: local, namespace: uri, attributes: new Map(own), children: [], text: '' };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  const addText = (part: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += part;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    open.pop();
  });
  parser.write(text).close();
  if (root === undefined) throw new Error('the document is empty');
  return root;
}

/** The first child of that name without a namespace, or with the one given. */
export function childOf(element: XmlElement | undefined, name: string, namespaces: readonly string[] = ['']): XmlElement | undefined {
  return element?.children.find((child) => child.name === name && namespaces.includes(child.namespace));
}

/** Every element below `element`, at any depth, without a namespace: those of that name, or all. */
export function* descendantsOf(element: XmlElement, name?: string): Iterable<XmlElement> {
  for (const child of element.children) {
    if ((name === undefined || child.name === name) && child.namespace === '') yield child;
    yield* descendantsOf(child, name);
  }
}

/** The element's own text without white space around it; empty where there is no element. */
export function textOf(element: XmlElement | undefined): string {
  return element?.text.trim() ?? '';
}
