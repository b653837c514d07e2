/** Executes a plan of its own in a process of its own, so that system calls can be made to fail: prints its outcomes as JSON. */
import { createBaseDirectoryOpener } from '../../src/disk/base-directory.ts';
import { createExecutor } from '../../src/execute/executor.ts';
import { createFileLocker } from '../../src/disk/locks/nova-lock.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Verdict } from '../../src/model/plan.ts';
import { executionPolicy, nobody, plannedFile, planOf } from './execute-plans.ts';

const [basePath = '', locksPath = '', ...rows] = process.argv.slice(2);
const directories = createBaseDirectoryOpener();
const directory = directories.open(basePath);
const files = rows.map((row) => {
  const [name = '', verdict] = row.split(':');
  const identity = directory.stat(name);
  if (identity === undefined) throw new Error(`no such file: ${name}`);
  return plannedFile(name, verdict as Verdict, identity);
});
directory.close();

const executor = createExecutor({ locker: createFileLocker({ locksPath }), directories, clock: systemClock, policy: executionPolicy });
const { outcomes } = await executor.execute(planOf(basePath, files), nobody);
console.log(JSON.stringify([...outcomes.values()]));
