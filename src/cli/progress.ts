import type { Stage } from '../model/report.ts';
import { widthOfTerminal, type Output } from './io.ts';

/** A pass that is quicker than this shows no progress. */
const QUIET_MS = 1000;
const REDRAW_MS = 200;

const DOING: Readonly<Record<Stage, string>> = {
  scan: 'listing the base directory',
  references: 'asking who is running',
  overlays: 'reading backing chains',
  plan: 'deciding',
  execute: 'carrying out the plan',
};

export interface Progress {
  stage(stage: Stage): void;
  /** Clears the line. */
  stop(): void;
}

/** Shows on a terminal what a pass does, once it takes longer than a second. Elsewhere it shows nothing. */
export function showProgress(stderr: Output): Progress {
  const width = widthOfTerminal(stderr);
  if (width === undefined) return { stage: () => {}, stop: () => {} };
  const startedMs = performance.now();
  let doing = 'starting';
  let drawn = false;
  const draw = () => {
    const elapsedMs = performance.now() - startedMs;
    if (elapsedMs < QUIET_MS) return;
    drawn = true;
    stderr.write(`\r\u001b[K${`basekeeper: ${doing}, ${Math.floor(elapsedMs / 1000)} s`.slice(0, width - 1)}`);
  };
  const timer = setInterval(draw, REDRAW_MS);
  // Progress must not keep a process alive whose work is done.
  timer.unref();
  return {
    stage(stage) {
      doing = DOING[stage];
      draw();
    },
    stop() {
      clearInterval(timer);
      if (drawn) stderr.write('\r\u001b[K');
    },
  };
}
