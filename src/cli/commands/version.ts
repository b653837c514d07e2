import type { Command } from 'commander';
import { VERSION } from '../../lib/version.ts';
import type { Context } from '../context.ts';
import { writeResult } from '../io.ts';

/** What `basekeeper version` and `basekeeper --version` print. */
export const VERSION_LINE = `basekeeper ${VERSION}`;

export function addVersionCommand(program: Command, { io }: Context): void {
  program
    .command('version')
    .description('Print the version.')
    .addHelpText('after', '\nExample:\n  $ basekeeper version')
    .action(() => writeResult(io.stdout, [`${VERSION_LINE}\n`]));
}
