import type { Explanation } from '../report/explain/explain.ts';
import { explanationText } from '../report/terminal/explanation.ts';
import { say, wantsColour, writeResult, type Environment, type Io } from './io.ts';
import { EXIT_CODES } from './exit-codes.ts';

export interface ExplanationContext {
  readonly env: Environment;
  readonly io: Io;
  readonly exitWith: (code: number) => void;
}

/** Prints it to stdout; where nothing matches, says so after `prefix` and sets exit code 1. */
export async function printExplanation(
  explanation: Explanation,
  output: 'text' | 'json',
  prefix: string,
  { env, io, exitWith }: ExplanationContext,
): Promise<void> {
  const { files, trash, basePath, digest } = explanation;
  if (files.length === 0 && trash.length === 0) {
    exitWith(EXIT_CODES.failed);
    say(io.stderr, `${prefix}: no base file in ${basePath} or its trash has this name or belongs to this image (sha1 ${digest})`);
    return;
  }
  const pieces =
    output === 'json' ? [`${JSON.stringify(explanation, null, 2)}\n`] : explanationText(explanation, wantsColour(io.stdout, env));
  await writeResult(io.stdout, pieces);
}
