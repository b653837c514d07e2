import type { MutantsOf } from './mutant.ts';

const HOSTS = 'test/unit/shared-storage/hosts.test.ts';
const REPORT = 'test/unit/shared-storage/host-report.test.ts';
const REGISTRY = 'test/contract/execute/storage-registry.test.ts';
const REAL_REGISTRY = 'test/integration/shared-storage/registry.test.ts';
const REPORT_FILES = 'test/integration/shared-storage/report-files.test.ts';
const RECHECK = 'test/integration/shared-storage/recheck.test.ts';
const WATCHES = 'test/unit/shared-storage/host-watches.test.ts';
const WAITING = 'test/integration/shared-storage/waiting.test.ts';
const AGENTS = 'test/integration/shared-storage/agents.test.ts';

/** Who shares the directory, and that nothing is removed while one of them is not known. */
export const SHARED_STORAGE: readonly MutantsOf[] = [
  {
    file: 'src/shared-storage/host-report.ts',
    tests: ['test/unit/shared-storage/host-report.test.ts'],
    mutants: [
      {
        rule: 'a host says of a disk outside that others cannot read it',
        from: '...workloads.flatMap((vm) => outOfSight(vm, facts))',
        to: '',
      },
      { rule: 'a host says so of a path outside as well', from: '[...disks, ...others]', to: '[...disks]' },
      {
        rule: 'a host leaves out of its report only what it opens as raw alone, and no base file',
        from: 'isInBase(path, facts) || (!isRawAlone(path)',
        to: '(!isRawAlone(path)',
      },
      {
        rule: 'a host reports a disk that one place opens as raw and another does not',
        from: "named.every(({ format }) => format === 'raw')",
        to: "named.some(({ format }) => format === 'raw')",
      },
    ],
  },
  {
    file: 'src/shared-storage/hosts.ts',
    tests: [HOSTS],
    mutants: [
      {
        rule: 'hosts: one that is silent for long is stale, and not forgotten',
        from: "if (staleHosts === 'ignore') return",
        to: 'return',
      },
      { rule: 'hosts: others have time to register', from: 'if (restSeconds <= 0) return undefined;', to: 'return undefined;' },
      {
        rule: 'hosts: a first agent that has not registered waits',
        from: 'if (sinceMs === undefined)\n    return `',
        to: 'if (sinceMs === undefined) return undefined;\n  if (sinceMs === undefined)\n    return `',
      },
      {
        rule: 'hosts: one that says that its evidence is incomplete is unknown',
        from: 'if (isFresh && problem !== undefined) return',
        to: 'if (false) return',
      },
      {
        rule: 'hosts: the API is not enough where workloads are only told by reports',
        from: '!needsReports && report?.onlyByReport !== true;',
        to: 'report?.onlyByReport !== true;',
      },
      {
        rule: 'hosts: the API is not enough for a host that says so',
        from: '!needsReports && report?.onlyByReport !== true;',
        to: '!needsReports;',
      },
      { rule: 'hosts: one without a report is unknown', from: 'return found.problem;', to: 'return undefined;' },
      { rule: 'hosts: an incomplete report is a problem', from: 'if (incomplete.length > 0) return', to: 'if (false) return' },
      { rule: 'hosts: an old report is a problem', from: 'if (ageMs <= REPORT_FRESH_MS) return undefined;', to: 'return undefined;' },
      { rule: 'hosts: a report from the future is a problem', from: 'if (ageMs < -CLOCK_TOLERANCE_MS) return', to: 'if (false) return' },
      { rule: 'hosts: a node of another name is not asked for', from: ' && pattern.replaceAll(NODE_NAME, node) === host', to: '' },
    ],
  },
  {
    file: 'src/shared-storage/host-report.ts',
    tests: [REPORT],
    mutants: [
      { rule: 'hosts: a report about another host is none', from: 'if (data.host !== host) return', to: 'if (false) return' },
      { rule: 'hosts: a report that is not understood is none', from: 'const report = z.strictObject({', to: 'const report = z.object({' },
    ],
  },
  {
    file: 'src/shared-storage/source.ts',
    tests: [RECHECK, AGENTS],
    mutants: [
      {
        rule: 'shared storage: a host of which nothing is known holds',
        from: "judged.state === 'known' ? 'known' : 'unknown'",
        to: "judged.state === 'known' ? 'known' : 'known'",
      },
      {
        rule: 'shared storage: a broken registry holds',
        from: 'problem: problem ?? registrationProblem(),',
        to: 'problem: undefined,',
      },
      {
        rule: 'shared storage: what another host’s workloads name protects',
        from: '      workloads: [...seen.api.workloads.map((workload) => this.#take(workload)), ...reports.flatMap(({ workloads }) => workloads)],',
        to: '',
      },
      {
        rule: 'shared storage: a registry that is new holds',
        from: 'unsettled: problem === undefined ? whyUnsettled(sinceMs, this.#options.settleSeconds, startedMs) : undefined,',
        to: 'unsettled: undefined,',
        tests: [AGENTS],
      },
    ],
  },
  {
    file: 'src/shared-storage/source.ts',
    tests: [WAITING],
    mutants: [
      {
        rule: 'shared storage: a consistent look waits for reports that were made after it began',
        from: 'seen = await this.#untilReported(seen, signal);',
        to: 'seen = await this.#look(signal);',
      },
      {
        rule: 'shared storage: a host that has not reported since the pass began is unknown',
        from: 'const hosts = isBehind(seen, before) ? ',
        to: 'const hosts = false ? ',
      },
      {
        rule: 'shared storage: who waits for a report gives up in time',
        from: ' && this.#options.clock.now().monotonicMs < giveUpMs;',
        to: ' && giveUpMs > 0;',
      },
      {
        rule: 'shared storage: who waits for a report is ended by the deadline of the pass',
        from: 'if (signal?.aborted === true) break;',
        to: 'if (signal?.aborted === true) await sleep(pollMs);',
      },
      {
        rule: 'shared storage: a report without a time is older than everything',
        from: '(found.report?.takenAtMs ?? Number.NaN) >= before.startedMs',
        to: 'true',
      },
      {
        rule: 'shared storage: a report that never changes is not newer, whatever its time says',
        from: '(changed >= 1 && (',
        to: '(changed >= 0 && (',
      },
      {
        rule: 'shared storage: a report that changed once may have been begun before',
        from: 'changed >= 2 ||',
        to: 'changed >= 1 ||',
      },
    ],
  },
  {
    file: 'src/shared-storage/report-files.ts',
    tests: [REPORT_FILES],
    mutants: [
      { rule: 'shared storage: reports find room or are unknown', from: 'const fits = cost <= room;', to: 'const fits = true;' },
      {
        rule: 'shared storage: no host is left out for another’s sake',
        from: 'const share = room / Math.max(1, hosts.length);',
        to: 'const share = room;',
      },
      {
        rule: 'shared storage: a report that says something else is parsed again',
        from: 'const isSame = before?.body === body;',
        to: 'const isSame = before !== undefined;',
      },
    ],
  },
  {
    file: 'src/shared-storage/reduce-report.ts',
    tests: ['test/unit/shared-storage/reduce-report.test.ts'],
    mutants: [
      { rule: 'shared storage: a path outside is that host’s own, and holds', from: '...outside.slice(0, 1)', to: '' },
      { rule: 'shared storage: a path is taken as it is meant', from: ' && posix.normalize(path) === path', to: '' },
      { rule: 'shared storage: what many VMs name is all kept', from: ': [workloads];', to: ': [workloads.slice(0, 50)];' },
    ],
  },
  {
    file: 'src/shared-storage/own-report.ts',
    tests: [REPORT_FILES],
    mutants: [
      {
        rule: 'host reports: our own is written to the directory that was opened',
        from: 'replaceFile(path, formatHostReport(report));',
        to: 'const text = formatHostReport(report);\n      replaceFile(`${this.#places.locksPath}/${fileName}`, text);',
      },
      { rule: 'shared storage: a report of ours that somebody else wrote holds', from: ' || found === this.#written;', to: ' || true;' },
    ],
  },
  {
    file: 'src/lib/json.ts',
    tests: ['test/unit/lib/json.test.ts', REAL_REGISTRY],
    mutants: [{ rule: 'JSON: a key twice is refused', from: 'ownKeys(value) === keys', to: 'keys >= 0' }],
  },
  {
    file: 'src/shared-storage/host-watches.ts',
    tests: [WATCHES],
    mutants: [
      { rule: 'host watches: a host that is not a node is unknown', from: '.length > 0 ? ', to: '.length >= 0 ? ' },
      {
        rule: 'host watches: a node that cannot be looked up is unknown',
        from: 'return { problem: `Node ${node} cannot be looked up: ${messageOf(error)}` };',
        to: "return 'yes';",
      },
      {
        rule: 'host watches: a node that was not looked up yet is unknown',
        from: "if (known === undefined) return { state: 'syncing' };",
        to: "if (known === undefined) return { state: 'synced' };",
      },
      {
        rule: 'host watches: what cannot be listed makes a node unknown',
        from: 'if (failed !== undefined) return',
        to: 'if (false) return',
      },
      {
        rule: 'host watches: what is being listed makes a node unknown',
        from: "statuses.some(({ state }) => state === 'syncing') ? 'syncing' : 'synced'",
        to: "'synced'",
      },
      { rule: 'host watches: the VMIs of a node count', from: '[pods, vmis])', to: '[pods])' },
      { rule: 'host watches: the pods of a node count', from: '[pods, vmis])', to: '[vmis])' },
      {
        rule: 'host watches: a consistent look lists by quorum',
        from: 'read({ consistent: true, signal })',
        to: 'read({ consistent: false, signal })',
      },
      {
        rule: 'host watches: a consistent look asks for the nodes again',
        from: 'await Promise.all([...this.#nodes.keys()].map(async (node) => await this.#lookUp(node, joined)));',
        to: 'void joined;',
      },
      {
        rule: 'host watches: another node is another watch for VMIs',
        from: 'if (key === this.#vmiNodes) return;',
        to: "if (this.#vmiNodes !== '') return;",
      },
    ],
  },
  {
    file: 'src/shared-storage/registry-file.ts',
    tests: [REGISTRY, REAL_REGISTRY],
    mutants: [
      {
        rule: 'registry: what is not JSON is broken, not empty',
        from: "return { problem: text.trim() === '' ? 'it is empty' : PROBLEMS[problem] };",
        to: 'return { hosts: new Map() };',
      },
      {
        rule: 'registry: of each host the later registration counts',
        from: 'Math.max(all.get(host) ?? seconds, seconds)',
        to: 'Math.min(all.get(host) ?? seconds, seconds)',
      },
    ],
  },
  {
    file: 'src/shared-storage/registry.ts',
    tests: [REGISTRY, REAL_REGISTRY],
    mutants: [
      {
        rule: 'registry: whom Nova forgets is remembered',
        from: 'this.#known = union(found.registry.hosts, found.memory.hosts);',
        to: 'this.#known = union(found.registry.hosts);',
      },
      {
        rule: 'registry: nothing is written over a broken one',
        from: '      if (problem !== undefined) return problem;\n      return this.#write(union(',
        to: '      if (problem === null) return problem;\n      return this.#write(union(',
      },
      {
        rule: 'registry: a lock that is busy makes nobody forget',
        from: 'return { hosts: inMilliseconds(this.#known), problem };',
        to: 'return { hosts: new Map(), problem };',
        tests: [REAL_REGISTRY],
      },
      {
        rule: 'registry: only what was to be written is completed',
        from: 'return text !== undefined && isUnfinished(text, formatRegistry(memory.hosts));',
        to: 'return true;',
        tests: [REAL_REGISTRY],
      },
      {
        rule: 'registry: root’s file is not Nova’s',
        from: 'alsoOwnedBy: user === 0 ? [] : [user]',
        to: 'alsoOwnedBy: [user]',
        tests: [REAL_REGISTRY],
      },
    ],
  },
  {
    file: 'src/shared-storage/registry-file.ts',
    tests: [REAL_REGISTRY],
    mutants: [{ rule: 'registry: names of hosts have a grammar', from: 'if (odd !== undefined) return', to: 'if (odd === null) return' }],
  },
  {
    file: 'src/shared-storage/trust.ts',
    tests: [REAL_REGISTRY],
    mutants: [
      { rule: 'registry: a file that was replaced under its mount is broken', from: 'if (links === 0) return', to: 'if (false) return' },
      { rule: 'registry: a file with two names is not believed', from: 'if (links > 1) return', to: 'if (false) return' },
      {
        rule: 'registry: what is mounted in its place is not believed',
        from: 'if (device !== directory.device)',
        to: 'if (device === undefined)',
      },
      { rule: 'registry: another user’s file is not believed', from: 'if (uid !== directory.uid && ', to: 'if (uid < 0 && ' },
      { rule: 'registry: everybody’s file is not believed', from: '(mode & OTHERS_MAY_WRITE) !== 0', to: 'mode === 0' },
    ],
  },
  {
    file: 'src/shared-storage/report-files.ts',
    tests: [REPORT_FILES],
    mutants: [
      {
        rule: 'host reports: one whose owner or place is wrong is not believed',
        from: 'suspicion === undefined) return this.#take',
        to: 'suspicion !== null) return this.#take',
      },
      { rule: 'host reports: one that is just replaced is read again', from: 'attempt <= ATTEMPTS;', to: 'attempt <= 1;' },
    ],
  },
  {
    file: 'src/disk/read-small-file.ts',
    tests: [REPORT_FILES],
    mutants: [
      {
        rule: 'small files: a link is not followed',
        from: 'constants.O_RDONLY | constants.O_NOFOLLOW |',
        to: 'constants.O_RDONLY |',
      },
      {
        rule: 'small files: what is not a regular file is not read',
        from: "if (!stats.isFile()) throw errnoError('EINVAL'",
        to: "if (false) throw errnoError('EINVAL'",
      },
    ],
  },
  {
    file: 'src/disk/open-places.ts',
    tests: ['test/integration/shared-storage/open-places.test.ts'],
    mutants: [
      { rule: 'registry: a link in the place of locks is not followed', from: 'locksPath, constants.O_NOFOLLOW,', to: 'locksPath, 0,' },
    ],
  },
];
