/** For `node --import`: the heap as the program sets it. */
import { keepHeapSmall } from '../../src/bin/process.ts';

keepHeapSmall();
