import type { Argument, Command, Option } from 'commander';

/** What a shell does beside the candidates, in the numbers that kubectl and all programs made with Cobra use. */
export const DIRECTIVES = { files: 0, nothing: 4, directories: 16 } as const;

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly directive: (typeof DIRECTIVES)[keyof typeof DIRECTIVES];
}

/** What may stand for an argument that a command names, such as the nodes of a cluster. `options`: those before it, by their long names. */
export type ValuesOf = (argument: string, options: ReadonlyMap<string, string>) => Promise<readonly string[]>;

/** Where the cursor is, in terms of the program. */
interface Place {
  readonly command: Command;
  readonly given: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
  readonly onlyArguments: boolean;
  readonly helping: boolean;
}

/** What may stand in place of the last of the words, which follow the program's name. Everything comes from the definitions of the commands. */
export async function complete(program: Command, words: readonly string[], valuesOf: ValuesOf): Promise<Completion> {
  const { before, current } = splitWords(words);
  const place = walk(program, before);
  const { value: option, partial } = openOption(place, current);
  if (option !== undefined) return optionValues(option, partial, current.slice(0, current.length - partial.length));
  if (!place.onlyArguments && current.startsWith('-')) return among(optionNames(place, current), current);
  const { command, given } = place;
  if (given.length === 0 && command.commands.length > 0) return among(commandNames(command), current);
  if (place.helping) return { candidates: [], directive: DIRECTIVES.nothing };
  const argument = command.registeredArguments[given.length] ?? command.registeredArguments.findLast(({ variadic }) => variadic);
  return among(await argumentValues(argument, place, valuesOf), current);
}

/** Bash breaks `--output=json` into three words. */
function splitWords(words: readonly string[]): { readonly before: readonly string[]; readonly current: string } {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const isValue = words[index - 1] === '=' && words[index - 2]?.startsWith('--') === true;
    const isSign = word === '=' && words[index - 1]?.startsWith('--') === true;
    if (isSign && index === words.length - 1) joined.push('');
    else if (!isSign || isValue) joined.push(word);
  }
  return { before: joined.slice(0, -1), current: joined.at(-1) ?? '' };
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let given: string[] = [];
  const options = new Map<string, string>();
  let pending: Option | undefined;
  let onlyArguments = false;
  let helping = false;
  for (const word of words) {
    const child = given.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
    if (pending !== undefined) {
      options.set(pending.long ?? '', word);
      pending = undefined;
    } else if (word === '--') onlyArguments = true;
    else if (!onlyArguments && /^-./.test(word)) {
      const [name = '', value] = word.split('=', 2);
      const option = optionsOf(command).find(({ long, short }) => long === name || short === name);
      if (value === undefined && takesValue(option)) pending = option;
      else options.set(option?.long ?? name, value ?? '');
    } else if (child !== undefined) command = child;
    else if (command === program && !helping && word === 'help') helping = true;
    else given = [...given, word];
  }
  return { command, given, options, pending, onlyArguments, helping };
}

function openOption(
  { command, pending, onlyArguments }: Place,
  current: string,
): { readonly value: Option | undefined; readonly partial: string } {
  if (pending !== undefined) return { value: pending, partial: current };
  const [, name, partial = ''] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  const option = onlyArguments ? undefined : optionsOf(command).find(({ long }) => long === name);
  return { value: takesValue(option) ? option : undefined, partial };
}

function optionValues(option: Option, partial: string, prefix: string): Completion {
  if (option.argChoices !== undefined) {
    const values = option.argChoices.map((choice) => ({ value: `${prefix}${choice}`, description: '' }));
    return among(values, prefix + partial);
  }
  const directive = /<file>/.test(option.flags)
    ? DIRECTIVES.files
    : /<directory>/.test(option.flags)
      ? DIRECTIVES.directories
      : DIRECTIVES.nothing;
  return { candidates: [], directive };
}

/** Long names; short ones as well where only a dash is written. */
function optionNames({ command, options }: Place, current: string): readonly Candidate[] {
  return optionsOf(command)
    .filter(({ long, hidden }) => !hidden && !options.has(long ?? ''))
    .flatMap(({ long, short, description }) =>
      [long, current === '-' ? short : undefined].flatMap((value) => (value == null ? [] : [{ value, description }])),
    );
}

/** Those of the command, of the program, and the one that prints help. */
function optionsOf(command: Command): readonly Option[] {
  const own = command.createHelp().visibleOptions(command);
  return command.parent === null ? own : [...own, ...command.parent.options.filter(({ long }) => long !== '--version')];
}

function commandNames(command: Command): readonly Candidate[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((one) => ({ value: one.name(), description: one.description() }));
}

async function argumentValues(argument: Argument | undefined, place: Place, valuesOf: ValuesOf): Promise<readonly Candidate[]> {
  if (argument === undefined) return [];
  const values = argument.argChoices ?? (await valuesOf(argument.name(), place.options));
  return values.filter((value) => !place.given.includes(value)).map((value) => ({ value, description: '' }));
}

function takesValue(option: Option | undefined): boolean {
  return option !== undefined && (option.required || option.optional);
}

function among(candidates: readonly Candidate[], current: string): Completion {
  return { candidates: candidates.filter(({ value }) => value.startsWith(current)), directive: DIRECTIVES.nothing };
}
