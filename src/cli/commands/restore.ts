import { posix } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import type { Config } from '../../config/types.ts';
import { cellText } from '../../report/terminal/cells.ts';
import { addConfigurationOptions, withConfig, type ConfigurationOptions } from '../configuration.ts';
import type { Context } from '../context.ts';
import { say, writeResult } from '../io.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { RestoredFile } from '../../wire/wiring.ts';

interface RestoreOptions extends ConfigurationOptions {
  readonly list?: true;
}

export function addRestoreCommand(program: Command, context: Context): void {
  addConfigurationOptions(program.command('restore'))
    .argument('[file]', 'a base file that was removed, or its name in the trash where several have its name')
    .description('Put a removed base file back from the trash, under its lock. It is never put over a base file that is there.')
    .option('--list', 'list what lies in the trash, newest first')
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
      await withConfig(asked, context, (config) => (file === undefined ? list(config, context) : restore(config, file, context)));
    });
}

async function list(config: Config, { io, wiring }: Context): Promise<void> {
  const entries = await (await wiring()).listTrash(config);
  await writeResult(
    io.stdout,
    entries.map(({ entry, trashedAtMs }) => `${cellText(entry)}  trashed ${new Date(trashedAtMs).toISOString()}\n`),
  );
  if (entries.length === 0) say(io.stderr, `basekeeper: the trash of ${config.basePath} is empty`);
}

async function restore(config: Config, file: string, { io, wiring, exitWith }: Context): Promise<void> {
  const restored = await (await wiring()).restoreFile(config, posix.basename(file), io.signal);
  if (restored.outcome === 'restored') {
    await writeResult(io.stdout, [`restored ${cellText(restored.name ?? file)}\n`]);
    return;
  }
  say(io.stderr, `basekeeper: ${cellText(file)} was not restored: ${whyNot(restored, config)}`);
  exitWith(EXIT_CODES.failed);
}

function whyNot({ outcome, message }: RestoredFile, { basePath }: Config): string {
  if (outcome === 'NotInTrash') return `it is not in the trash of ${basePath}; --list shows what is`;
  if (outcome === 'AlreadyGone') return 'somebody else took it from the trash just now';
  return `${outcome === 'kept' ? '' : `${outcome}: `}${cellText(message ?? 'it was interrupted')}`;
}
