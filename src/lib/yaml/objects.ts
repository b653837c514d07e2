import { YAMLParseError, parseAllDocuments } from 'yaml';

/** The documents of a YAML or JSON text as plain data, or what is wrong with the text. */
export function parseYamlDocuments(text: string): { readonly documents: readonly unknown[] } | { readonly problem: string } {
  try {
    const found = parseAllDocuments(text);
    const documents = Array.isArray(found) ? found : [];
    const error = documents.flatMap(({ errors }) => errors)[0];
    if (error !== undefined) return { problem: error.message };
    return { documents: documents.map((document): unknown => document.toJS()).filter((document) => document !== null) };
  } catch (error) {
    // An alias without an anchor, or more aliases than a person writes.
    if (error instanceof ReferenceError || error instanceof YAMLParseError) return { problem: error.message };
    throw error;
  }
}
