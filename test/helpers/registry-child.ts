/** Registers a host again and again, in a process of its own. Arguments: instances path, host, how often. */
import { join } from 'node:path';
import { createFileLocker } from '../../src/disk/locks/nova-lock.ts';
import { createStorageRegistry } from '../../src/shared-storage/registry.ts';

const [instancesPath = '', host = '', times = ''] = process.argv.slice(2);
const locksPath = join(instancesPath, 'locks');
const registry = createStorageRegistry({ instancesPath, locksPath, locker: createFileLocker({ locksPath }) });
for (let count = 0; count < Number(times); count++) {
  const problem = await registry.register(host, Date.now());
  // A lock that was busy for long is no fault on a busy machine; everything else is.
  if (problem !== undefined && !problem.includes('was held by somebody else')) throw new Error(problem);
}
