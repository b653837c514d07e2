import { execFileSync } from 'node:child_process';

/** Once before all integration tests: what they run as a process is what the sources say. */
export default function buildBundle(): void {
  execFileSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' });
}
