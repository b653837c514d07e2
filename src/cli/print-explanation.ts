import { cellText } from '../report/terminal/cells.ts';
import type { Explanation } from '../report/explain/explain.ts';
import { explanationText } from '../report/terminal/explanation.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { say } from './io.ts';
import { printResult, type OutputFormat, type PrintContext } from './output.ts';

export interface ExplanationContext extends PrintContext {
  readonly exitWith: (code: number) => void;
}

/** Prints it to stdout; where nothing matches, says so after `prefix` and sets exit code 1. */
export async function printExplanation(
  explanation: Explanation,
  output: OutputFormat,
  prefix: string,
  context: ExplanationContext,
): Promise<void> {
  const { files, trash, basePath, digest } = explanation;
  if (files.length === 0 && trash.length === 0) {
    context.exitWith(EXIT_CODES.failed);
    say(context.io.stderr, `${prefix}: no base file in ${basePath} or its trash has this name or belongs to this image (sha1 ${digest})`);
    return;
  }
  const printed = {
    text: ({ colour }: { readonly colour: boolean }) => explanationText(explanation, colour),
    document: explanation,
    names: () => [...files.map(({ name }) => name), ...trash.map(({ entry }) => entry)].map(cellText),
  };
  await printResult(printed, output, context);
}
