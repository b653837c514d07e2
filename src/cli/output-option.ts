import { Option } from 'commander';
import { OUTPUT_FORMATS, type OutputFormat } from './output.ts';

/** `-o, --output`, the same for every command that prints a result. */
export function outputOption(standard: OutputFormat = 'table'): Option {
  return new Option('-o, --output <format>', 'how to print the result').choices(OUTPUT_FORMATS).default(standard);
}
