import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { say, writeResult } from '../io.ts';
import { EXIT_CODES } from '../exit-codes.ts';

export function addCleanupCommand(program: Command, { io, wiring, exitWith }: Context): void {
  program
    .command('cleanup')
    .description('Remove the annotations below basekeeper.io/ from every node of the cluster. The chart runs it after an uninstall.')
    .addHelpText('after', '\nExample:\n  $ basekeeper cleanup')
    .action(async () => {
      const { cleaned, failed } = await (await wiring()).cleanUpNodes(io.signal);
      await writeResult(io.stdout, [`${cleaned.length} nodes had annotations of Basekeeper; they are removed\n`]);
      for (const [name, message] of failed) say(io.stderr, `basekeeper: node ${name}: ${message}`);
      if (failed.size > 0) exitWith(EXIT_CODES.failed);
    });
}
