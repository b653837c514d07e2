import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { say } from '../io.ts';
import { outputOption } from '../output-option.ts';
import { printResult, type OutputFormat } from '../output.ts';
import { EXIT_CODES } from '../exit-codes.ts';

export function addCleanupCommand(program: Command, context: Context): void {
  program
    .command('cleanup')
    .description('Remove the annotations below basekeeper.io/ from every node of the cluster. The chart runs it after an uninstall.')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ basekeeper cleanup')
    .action(async ({ output }: { readonly output: OutputFormat }) => {
      const { io, wiring, exitWith } = context;
      const { cleaned, failed } = await (await wiring()).cleanUpNodes(io.signal);
      const printed = {
        text: () => [`${cleaned.length} nodes had annotations of Basekeeper; they are removed\n`],
        document: { cleaned, failed: Object.fromEntries(failed) },
        names: () => cleaned.map((node) => `node/${node}`),
      };
      await printResult(printed, output, context);
      for (const [name, message] of failed) say(io.stderr, `basekeeper: node ${name}: ${message}`);
      if (failed.size > 0) exitWith(EXIT_CODES.failed);
    });
}
