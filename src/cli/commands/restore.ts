import { posix } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import type { Config } from '../../config/types.ts';
import { cellText } from '../../report/terminal/cells.ts';
import { tableOf, type Column } from '../../report/terminal/layout.ts';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { say } from '../io.ts';
import { outputOption } from '../output-option.ts';
import { printResult, type OutputFormat } from '../output.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { RestoredFile, TrashListing } from '../../wire/wiring.ts';

interface RestoreOptions extends ConfigurationOptions {
  readonly list?: true;
  readonly output: OutputFormat;
}

export function addRestoreCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('restore'))
    .argument('[file]', 'a base file that was removed, or its name in the trash where several have its name')
    .description('Put a removed base file back from the trash, under its lock. It is never put over a base file that is there.')
    .option('--list', 'list what lies in the trash, newest first')
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nIts age counts from now: if nothing uses it, a pass removes it again after its minimum age; a pin keeps it.\nExit codes: 0 done, 1 not restored, 2 usage or configuration.\n\nExamples:\n  $ basekeeper restore --list --instances-path /var/lib/nova/instances\n  $ basekeeper restore 0d5e6b61602d758984b3bf038267614d6016eb2a --instances-path /var/lib/nova/instances',
    )
    .action(async (file: string | undefined, options: RestoreOptions) => {
      if (file === undefined && options.list === undefined)
        throw new UsageError('name the file to restore; --list shows what lies in the trash');
      if (file !== undefined && options.list !== undefined) throw new UsageError('give a file or --list, not both');
      // No workloads are asked for: anyone who restores a file knows why.
      const asked = { ...options, workloads: options.workloads ?? '/dev/null' };
      await withConfig(asked, context, (config) =>
        file === undefined ? list(config, options, context) : restore(config, file, options, context),
      );
    });
}

async function list(config: Config, { output }: RestoreOptions, context: Context): Promise<void> {
  const entries = await (await context.wiring()).listTrash(config);
  const names = () => entries.map(({ entry }) => cellText(entry));
  await printResult({ text: (style) => tableOf(COLUMNS, entries, style), document: entries.map(documentOf), names }, output, context);
  if (entries.length === 0) say(context.io.stderr, `basekeeper: the trash of ${config.basePath} is empty`);
}

const COLUMNS: readonly Column<TrashListing>[] = [
  { header: 'NAME', align: 'left', text: ({ entry }) => cellText(entry) },
  { header: 'TRASHED', align: 'left', text: (listing) => documentOf(listing).trashedAt },
];

function documentOf({ entry, trashedAtMs }: TrashListing): { readonly entry: string; readonly trashedAt: string } {
  return { entry, trashedAt: new Date(trashedAtMs).toISOString() };
}

async function restore(config: Config, file: string, { output }: RestoreOptions, context: Context): Promise<void> {
  const { io, wiring, exitWith } = context;
  const restored = await (await wiring()).restoreFile(config, posix.basename(file), io.signal);
  if (restored.unrecorded !== undefined) say(io.stderr, `basekeeper: the ledger: ${cellText(restored.unrecorded)}`);
  if (restored.outcome === 'restored') {
    const name = restored.name ?? file;
    return printResult(
      { text: () => [`restored ${cellText(name)}\n`], document: { ...restored, name }, names: () => [cellText(name)] },
      output,
      context,
    );
  }
  say(io.stderr, `basekeeper: ${cellText(file)} was not restored: ${whyNot(restored, config)}`);
  exitWith(EXIT_CODES.failed);
}

function whyNot({ outcome, message }: RestoredFile, { basePath }: Config): string {
  if (outcome === 'NotInTrash') return `it is not in the trash of ${basePath}; --list shows what is`;
  if (outcome === 'AlreadyGone') return 'somebody else took it from the trash just now';
  return `${outcome === 'kept' ? '' : `${outcome}: `}${cellText(message ?? 'it was interrupted')}`;
}
