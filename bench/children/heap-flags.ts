/** For `node --import`: the heap as the program sets it. */
import { keepHeapSmall } from '../../src/process.ts';

keepHeapSmall();
