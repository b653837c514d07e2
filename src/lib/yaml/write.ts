import { Document, Scalar, visit } from 'yaml';
import { deceptionless } from '../text.ts';

/** Nothing is folded; what YAML 1.1 would read as something else than a string is quoted. */
const STYLE = { lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER } as const;

/** A JSON value as YAML text that means the same and holds no deceiving characters. */
export function yamlText(value: unknown): string {
  // Rows may be views, and YAML would name an object that is there twice.
  const document = new Document(JSON.parse(JSON.stringify(value)), { compat: 'yaml-1.1' });
  visit(document, {
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'string' && deceptionless(scalar.value) !== scalar.value) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString(STYLE).split('\n').map(deceptionless).join('\n');
}
