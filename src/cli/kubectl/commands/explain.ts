import type { Command } from 'commander';
import { explain } from '../../../report/explain/explain.ts';
import { explainInPod, restoreInPod } from '../../../report/explain/restore-command.ts';
import { asReport } from '../../agent-report.ts';
import { outputOption } from '../../output-option.ts';
import type { OutputFormat } from '../../output.ts';
import { printExplanation } from '../../print-explanation.ts';
import { withFleet, type KubectlContext } from '../context.ts';
import { agentSelectorOption, nodeName } from '../selection.ts';

interface ExplainOptions {
  readonly output: OutputFormat;
  readonly agentSelector: string;
}

const EXAMPLES = `
The report comes from the agent on the node, by a port-forward: it takes the rights to list pods, and to get and create pods/portforward.

Examples:
  $ kubectl basekeeper explain node-1 0d5e6b61602d758984b3bf038267614d6016eb2a
  $ kubectl basekeeper explain node-1 fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0`;

export function addExplainCommand(program: Command, context: KubectlContext): void {
  program
    .command('explain')
    .argument('<node>', 'the node that has the file')
    .argument('<file-or-image>', 'a base file, or an image id: then every base file of that image')
    .description(
      'Say why a base file is still there: who uses it, which rule decided, when it becomes removable; or until when it lies in the trash, and how it comes back.',
    )
    .addOption(outputOption())
    .addOption(agentSelectorOption())
    .addHelpText('after', EXAMPLES)
    .action(async (word: string, subject: string, { output, agentSelector }: ExplainOptions, command: Command) => {
      const node = nodeName(word);
      const { pod, report } = await withFleet(command, context, async (fleet) => await fleet.report(node, agentSelector));
      const read = asReport(report, `the agent on node ${node}`);
      if (read.result === 'Skipped') {
        throw new Error(
          `the mode of node ${node} is off, so its agent has looked at nothing; look at the disk there: ${explainInPod(pod, subject)}`,
        );
      }
      const explanation = explain(read, subject, restoreInPod(pod));
      await printExplanation(explanation, output, 'kubectl basekeeper', context);
    });
}
