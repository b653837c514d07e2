import { RE2JS, RE2JSException } from 're2js';

/** No file name is longer, so no glob needs to be. */
export const MAX_GLOB_LENGTH = 255;

/** Whether a file name matches. */
export type FileGlob = (name: string) => boolean;

/**
 * Compiles a glob over file names, in time linear to the glob, into a matcher that is linear to the name: `*`, `?`, `[a-z]`, `[!a-z]`,
 * `{a,b}`, `?(a|b)`, `*(…)`, `+(…)`, `@(…)`, and `!` in front of all of it. A `\` takes the next character as it stands. Names that
 * begin with a dot match as others do. Throws an `Error` that says what is wrong.
 */
export function compileFileGlob(glob: string): FileGlob {
  if (glob === '') throw new Error('it is empty');
  if (glob.includes('/')) throw new Error('it has a "/", and file names have none');
  if (glob.length > MAX_GLOB_LENGTH) throw new Error(`it is longer than ${MAX_GLOB_LENGTH} characters`);
  const negated = glob.startsWith('!') && !glob.startsWith('!(');
  const pattern = compile(new Translation(negated ? glob.slice(1) : glob).pattern());
  return (name) => pattern.matcher(name).matches() !== negated;
}

function compile(expression: string): RE2JS {
  try {
    return RE2JS.compile(expression, RE2JS.DOTALL);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new Error(`it cannot be understood: ${error.message}`, { cause: error });
  }
}

const QUANTIFIERS: Readonly<Record<string, string>> = { '?': '?', '*': '*', '+': '+', '@': '' };

/** A group that is open: by which bracket it closes, and what follows it then. */
interface Group {
  readonly closer: ')' | '}';
  readonly separator: '|' | ',';
  readonly quantifier: string;
}

/** Reads a glob from left to right into an expression of RE2. */
class Translation {
  readonly #glob: string;
  readonly #open: Group[] = [];
  #at = 0;

  constructor(glob: string) {
    this.#glob = glob;
  }

  pattern(): string {
    let pattern = '';
    while (this.#at < this.#glob.length) pattern += this.#next();
    const unclosed = this.#open.at(-1);
    if (unclosed !== undefined) throw new Error(`a "${unclosed.closer}" is missing`);
    return pattern;
  }

  #next(): string {
    const character = this.#glob[this.#at] ?? '';
    const following = this.#glob[this.#at + 1];
    if (following === '(' && character in QUANTIFIERS) {
      this.#at += 2;
      return this.#begin({ closer: ')', separator: '|', quantifier: QUANTIFIERS[character] ?? '' });
    }
    if (following === '(' && character === '!') throw new Error('"!(…)" is not supported; put "!" in front of the whole glob');
    this.#at += 1;
    return this.#translated(character);
  }

  #translated(character: string): string {
    const group = this.#open.at(-1);
    if (character === group?.closer) return `)${this.#open.pop()?.quantifier ?? ''}`;
    if (character === group?.separator) return '|';
    if (character === '*') return '.*';
    if (character === '?') return '.';
    if (character === '{') return this.#begin({ closer: '}', separator: ',', quantifier: '' });
    if (character === '(') return this.#begin({ closer: ')', separator: '|', quantifier: '' });
    if (character === '[') return this.#characterClass();
    return RE2JS.quote(character === '\\' ? this.#escaped() : character);
  }

  #begin(group: Group): string {
    if (group.closer === '}' && /^[^{}]*\.\.[^{}]*\}/u.test(this.#glob.slice(this.#at)))
      throw new Error('a range such as "{1..3}" is not supported; write "[1-3]"');
    this.#open.push(group);
    return '(?:';
  }

  #escaped(): string {
    const escaped = this.#glob[this.#at];
    if (escaped === undefined) throw new Error('a "\\" stands at its end');
    this.#at += 1;
    return escaped;
  }

  /** `[a-z]`, `[!a-z]`, `[^a-z]`, `[]a]`, `[[:digit:]]`. */
  #characterClass(): string {
    const found = /^([!^]?)(\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]/su.exec(this.#glob.slice(this.#at));
    if (found === null) throw new Error('a "]" is missing');
    const [whole, negation = '', members = ''] = found;
    this.#at += whole.length;
    const safe = members.replaceAll(/\[:[a-z]+:\]|\\.|[[\]^&~]/gsu, (part) => (part.length > 1 ? part : `\\${part}`));
    return `[${negation === '' ? '' : '^'}${safe}]`;
  }
}
