import type { Command } from 'commander';
import { VERSION } from '../../lib/version.ts';
import { outputOption } from '../output-option.ts';
import { printResult, type OutputFormat, type PrintContext } from '../output.ts';

/** What `basekeeper version` and `basekeeper --version` print. */
export const VERSION_LINE = `basekeeper ${VERSION}`;

export function addVersionCommand(program: Command, context: PrintContext): void {
  program
    .command('version')
    .description('Print the version.')
    .addOption(outputOption())
    .addHelpText('after', `\nExample:\n  $ ${program.name()} version`)
    .action(({ output }: { readonly output: OutputFormat }) =>
      printResult({ text: () => [`${VERSION_LINE}\n`], document: { version: VERSION }, names: () => [VERSION] }, output, context),
    );
}
