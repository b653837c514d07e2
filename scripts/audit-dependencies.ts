/**
 * `npm run audit:dependencies`: what npm's database of vulnerabilities knows of the packages that are in the bundle. Ends with 1 where it
 * knows one, and with 3 where no database can be asked: then nothing is known, which is not the same as none.
 */
import { spawnSync } from 'node:child_process';

interface Vulnerability {
  readonly severity: string;
  readonly range: string;
  readonly via: readonly (string | { readonly title: string; readonly url: string })[];
}

interface AuditReport {
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
  readonly message?: string;
  readonly error?: { readonly summary?: string; readonly detail?: string };
}

const KNOWN = 1;
const NO_DATABASE = 3;

function audit(): AuditReport {
  const args = ['audit', '--json', '--omit=dev', '--package-lock-only', '--fetch-retries=1', '--fetch-timeout=20000'];
  const { stdout, error } = spawnSync('npm', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (error !== undefined) return { message: error.message };
  try {
    return JSON.parse(stdout) as AuditReport;
  } catch {
    return { message: 'npm audit gave no JSON' };
  }
}

const { vulnerabilities, message, error } = audit();
if (vulnerabilities === undefined) {
  const why = (message ?? error?.summary ?? error?.detail ?? '').trim().split('\n', 1)[0] ?? '';
  console.log(`Nothing is known of the dependencies: no database of vulnerabilities can be asked (${why || 'npm gives no reason'}).`);
  process.exitCode = NO_DATABASE;
} else {
  const known = Object.entries(vulnerabilities);
  for (const [name, { severity, range, via }] of known) {
    const reasons = via.map((reason) => (typeof reason === 'string' ? `by ${reason}` : `${reason.title} ${reason.url}`));
    console.log(`${name} ${range}: ${severity}: ${reasons.join('; ')}`);
  }
  console.log(known.length === 0 ? 'No vulnerability of a dependency is known.' : `${known.length} packages have known vulnerabilities.`);
  process.exitCode = known.length === 0 ? 0 : KNOWN;
}
