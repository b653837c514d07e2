// For `node --import`: at the end, writes what this process took at most to $BENCH_PEAKS.
import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const { BENCH_PEAKS } = process.env;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
// What came before, such as loading the program, does not count.
process.on('SIGUSR2', () => delay.reset());
process.on('exit', () => {
  const peakKb = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  if (BENCH_PEAKS !== undefined) {
    const blockMs = delay.max / 1e6;
    const p99Ms = delay.percentile(99) / 1e6;
    writeFileSync(BENCH_PEAKS, JSON.stringify({ peakBytes: peakKb * 1024, blockMs, p99Ms }));
  }
});
