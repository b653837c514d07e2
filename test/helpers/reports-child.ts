/** Reads the reports of the named hosts, collects what they name and reads them again, as a pass does; argv: instances path, lock directory, hosts. */
import { collectReferences } from '../../src/references/collect.ts';
import { ReportFiles } from '../../src/shared-storage/report-files.ts';

const [instancesPath = '', locksPath = '', ...hosts] = process.argv.slice(2);
const files = new ReportFiles(
  { instancesPath, locksPath },
  { hostInstancesPath: instancesPath, subdirectoryName: '_base', needsInstanceNames: false },
);

function lookOnce() {
  const found = [...files.read(hosts).values()];
  const workloads = found.flatMap(({ report }) => report?.workloads ?? []);
  return { found, references: collectReferences(workloads, '_base') };
}

const first = lookOnce();
const { found, references } = lookOnce();
console.log(
  JSON.stringify({
    known: found.filter(({ report }) => report !== undefined).length,
    problems: found.flatMap(({ problem }) => problem ?? []),
    digests: Math.max(first.references.byDigest.size, references.byDigest.size),
  }),
);
