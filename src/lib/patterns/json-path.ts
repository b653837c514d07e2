import { JSONPathEnvironment, JSONPathError } from 'json-p3';
import { watchedObject } from './watched-object.ts';

/** Values that one path may yield of one object. */
const MAX_VALUES = 1000;
const MAX_LENGTH = 1024;
/** Looks at one object: many times what a search of the largest object takes. Searches within searches take time to the power of their number. */
const MAX_LOOKS = 250_000;

/** Throws an `Error` where the object is nested too deeply for the path, yields more than 1000 values or takes too long. */
export type JsonPath = (object: unknown) => readonly unknown[];

/**
 * Compiles kubectl's notation (`{.metadata.annotations.example\.com/image}`, `{.spec.volumes[?(@.name=="root")].name}`, with or without
 * braces) or RFC 9535's (`$.spec['a-b']`). Nothing is ever evaluated as a script, and functions that would take a regular expression do
 * not exist. Throws an `Error` that says what is wrong and where.
 */
export function compileJsonPath(text: string): JsonPath {
  if (text.length > MAX_LENGTH) throw new Error(`it is longer than ${MAX_LENGTH} characters`);
  const standard = standardNotation(text);
  const environment = new JSONPathEnvironment();
  // JavaScript's regular expressions can take forever on a value that somebody chose for that.
  for (const name of ['match', 'search']) environment.functionRegister.delete(name);
  try {
    const query = environment.compile(standard);
    return (object) => {
      const values: unknown[] = [];
      const { watched, original } = watchedObject(object, MAX_LOOKS);
      for (const node of query.lazyQuery(watched as Parameters<typeof query.lazyQuery>[0])) {
        if (values.push(original(node.value)) > MAX_VALUES) throw new Error(`it yields more than ${MAX_VALUES} values`);
      }
      return values;
    };
  } catch (error) {
    if (!(error instanceof JSONPathError)) throw error;
    throw new Error(error.message, { cause: error });
  }
}

/** kubectl's notation as RFC 9535 writes it; what it does not understand it leaves for the compiler to refuse. */
function standardNotation(text: string): string {
  const braced = /^\{(.*)\}$/s.exec(text)?.[1] ?? text;
  if (/[{}]/.test(withoutQuoted(braced))) throw new Error('it must be one expression; braces may stand around all of it only');
  const rooted = braced.replace(/^[$@]/, '');
  if (rooted === '') throw new Error('it names nothing of the object');
  return `$${rewriteNames(/^[.[]/.test(rooted) ? rooted : `.${rooted}`)}`;
}

function withoutQuoted(text: string): string {
  return text.replaceAll(/'[^']*'|"[^"]*"/g, '');
}

/** `.a\.b/c` → `['a.b/c']`: names after a dot that RFC 9535 would not take, outside brackets. */
function rewriteNames(path: string): string {
  return path.replaceAll(
    /\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"])*\]|\.((?:\\.|[^.[\\])+)/gs,
    (whole, name: string | undefined) => {
      if (name === undefined || name === '*') return whole;
      // `{range .items[*]}` is a template, not a path.
      if (/\s/.test(name)) throw new Error(`a name with white space belongs in brackets and quotes: ${JSON.stringify(name)}`);
      const plain = name.replaceAll(/\\(.)/gs, '$1');
      return /^[A-Za-z_]\w*$/.test(plain) ? `.${plain}` : `[${JSON.stringify(plain)}]`;
    },
  );
}
