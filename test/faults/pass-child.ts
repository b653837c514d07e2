/**
 * One real pass in a process of its own, which kills itself as it enters its n-th stage: `pass-child.ts INSTANCES WORKLOADS N`.
 * Prints the stages as they begin, and `end` as the last; `N` may be one more than there are stages.
 */
import { writeSync } from 'node:fs';
import { createPass } from '../../src/wire/pass.ts';
import { configOf } from './config.ts';

const [instancesPath = '', workloadsPath = '', doomed = ''] = process.argv.slice(2);
let stages = 0;
const enter = (stage: string): void => {
  stages += 1;
  // Written at once: a buffer would die with the process.
  writeSync(1, `${stage}\n`);
  if (stages === Number(doomed)) process.kill(process.pid, 'SIGKILL');
};

const pass = await createPass(configOf({ instancesPath, workloadsPath }));
await pass.runPass({ dryRun: false, onStage: enter });
enter('end');
