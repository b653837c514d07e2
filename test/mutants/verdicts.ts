import type { MutantsOf } from './mutant.ts';

const RULES = 'test/unit/plan/rules.test.ts';
const GATE = 'test/unit/plan/gate/gate.test.ts';
const PRESSURE = 'test/unit/plan/space/pressure.test.ts';
const BUDGET = 'test/unit/plan/space/budget.test.ts';

/** Design §3: the verdict's rules, and what they look things up in. */
export const VERDICTS: readonly MutantsOf[] = [
  {
    file: 'src/plan/rules.ts',
    tests: [RULES],
    mutants: [
      {
        rule: 'ForeignFile: what has none of Nova’s names is kept',
        from: "return kind === 'foreign';",
        to: 'return false;',
      },
      {
        rule: 'ReferencedByWorkload: what a workload names stays',
        from: 'return usagesByWorkload(facts, file).length > 0;',
        to: 'return false;',
      },
      {
        rule: 'ReferencedByWorkload: what a workload names is touched, so that its age counts from its last use',
        from: "reason: 'ReferencedByWorkload', verdict: () => 'touch'",
        to: "reason: 'ReferencedByWorkload', verdict: keep",
      },
      {
        rule: 'BackingFileOfOverlay: what an overlay stands on stays',
        from: 'return usagesByOverlay(facts, file).length > 0;',
        to: 'return false;',
      },
      {
        rule: 'BackingFileOfOverlay: what an overlay stands on is touched, unless the configuration wants Nova’s way',
        from: "policy.touchBackingFiles ? 'touch' : 'keep'",
        to: "'keep'",
      },
      {
        rule: 'BackingFileOfBaseFile: what another base file stands on stays',
        from: 'return usagesByBaseFile(facts, file).length > 0;',
        to: 'return false;',
      },
      {
        rule: 'BackingFileOfBaseFile: it is touched only while what stands on it stays',
        from: 'return isLasting ? touchIfWanted(facts)',
        to: 'return true ? touchIfWanted(facts)',
      },
      {
        rule: 'PinnedByConfig: what is pinned stays',
        from: 'return facts.pinsOf(file.name, digestOf(file)).length > 0;',
        to: 'return false;',
      },
      {
        rule: 'RemovalDisabled: nothing is removed where removeUnusedBaseImages is false',
        from: 'applies: (facts) => !facts.policy.removeUnusedBaseImages',
        to: 'applies: () => false',
      },
      { rule: 'YoungerThanMinimumAge: what is young stays', from: 'applies: isTooYoung', to: 'applies: () => false' },
      {
        rule: 'GateClosed: nothing is removed while the gate is closed',
        from: 'applies: (facts) => !facts.gateOpen',
        to: 'applies: () => false',
      },
    ],
  },
  {
    file: 'src/plan/verdicts.ts',
    tests: [RULES],
    mutants: [
      { rule: 'the first rule that applies decides', from: 'RULES.findIndex(', to: 'RULES.findLastIndex(' },
      { rule: 'RemovalLimitReached: no pass removes more than maxRemovalsPerPass', from: 'candidates.slice(limit)', to: '[]' },
      {
        rule: 'RemovalLimitReached: the oldest go first',
        from: 'candidates.sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);',
        to: 'candidates.sort((a, b) => b.modifiedAtMs - a.modifiedAtMs);',
      },
    ],
  },
  {
    file: 'src/plan/removal-limit.ts',
    tests: ['test/unit/plan/removal-limit.test.ts'],
    mutants: [
      {
        rule: 'a pass without a limit of its own removes a share of the cache',
        from: 'Math.max(SMALLEST, Math.floor(files * SHARE))',
        to: 'Number.POSITIVE_INFINITY',
      },
      {
        rule: 'a full disk lifts the limit only where pressure mode is on',
        from: 'return pressure !== undefined && filesystem !== undefined && usedPercent(filesystem) > pressure.highThresholdPercent;',
        to: 'return filesystem !== undefined && usedPercent(filesystem) > (pressure?.highThresholdPercent ?? 90);',
      },
      {
        rule: 'a limit that is set counts under pressure as well',
        from: 'if (maxRemovalsPerPass !== undefined) return maxRemovalsPerPass;',
        to: 'if (maxRemovalsPerPass !== undefined && !isTooFull) return maxRemovalsPerPass;',
      },
    ],
  },
  {
    file: 'src/plan/minimum-age.ts',
    tests: [RULES],
    mutants: [
      {
        rule: 'no minimum age is below minimumAgeFloorSeconds',
        from: 'Math.max(configured, policy.minimumAgeFloorSeconds)',
        to: 'configured',
      },
      {
        rule: 'a download in progress makes the files of its image young',
        from: 'Math.max(file.modifiedAtMs, partialMs ?? Number.NEGATIVE_INFINITY)',
        to: 'file.modifiedAtMs',
      },
    ],
  },
  {
    file: 'src/model/names.ts',
    tests: [RULES, 'test/unit/plan/usages.test.ts'],
    mutants: [
      {
        rule: 'originals, swap and ephemeral files have a minimum age of their own',
        from: "kind === 'resized' || kind === 'legacy' ? policy.resizedMinimumAgeSeconds : policy.originalMinimumAgeSeconds",
        to: 'policy.resizedMinimumAgeSeconds',
      },
      {
        rule: 'resized and legacy files have a minimum age of their own',
        from: "kind === 'resized' || kind === 'legacy' ? policy.resizedMinimumAgeSeconds : policy.originalMinimumAgeSeconds",
        to: 'policy.originalMinimumAgeSeconds',
      },
      { rule: 'an image in use protects its resized files as well', from: '(?:_sm|_[0-9]+\\n?)?$/su', to: '(?:_sm)?$/su' },
      { rule: 'an image in use protects its legacy file as well', from: '(?:_sm|_[0-9]+\\n?)?$/su', to: '(?:_[0-9]+\\n?)?$/su' },
    ],
  },
  {
    file: 'src/plan/usages.ts',
    tests: [RULES, 'test/unit/plan/usages.test.ts'],
    mutants: [{ rule: 'every step of a backing chain protects', from: 'new Set(chain.flatMap(', to: 'new Set(chain.slice(0, 1).flatMap(' }],
  },
  {
    file: 'src/plan/pins.ts',
    tests: [RULES],
    mutants: [
      { rule: 'a pinned image id protects its files', from: 'digest === undefined ? [] : (byDigest.get(digest) ?? [])', to: '[]' },
      { rule: 'a pinned file name protects', from: 'globs.filter(({ matches }) => matches(name))', to: 'globs.slice(0, 0)' },
      { rule: 'pins of ConfigMaps and of the node protect as those of the configuration do', from: '...(inventory.pins ?? [])', to: '' },
    ],
  },
  {
    file: 'src/sources/pins/pins.ts',
    tests: ['test/unit/sources/pins/pins.test.ts'],
    mutants: [
      {
        rule: 'a wanted image of a ConfigMap is kept',
        from: "imageRefs: [...lines(data.get('imageRefs')), ...wanted],",
        to: "imageRefs: lines(data.get('imageRefs')),",
      },
      {
        rule: 'a wanted image of the node is kept',
        from: 'imageRefs: wanted, fileNames: [], wanted }',
        to: 'imageRefs: [], fileNames: [], wanted }',
      },
    ],
  },
  {
    file: 'src/plan/space/relief.ts',
    tests: [PRESSURE, BUDGET],
    mutants: [
      { rule: 'no file goes for space below the minimum age floor', from: ' && ageMs(file, facts) >= floorMs', to: '' },
      { rule: 'only what is unused goes for space', from: 'verdict === YOUNG &&', to: 'verdict !== UNUSED &&' },
      {
        rule: 'nothing goes for space while the gate is closed',
        from: 'const room = facts.gateOpen ? limit : 0;',
        to: 'const room = limit;',
      },
      {
        rule: 'nothing goes from the trash for space while the gate is closed',
        from: 'needs: facts.gateOpen ? needs : []',
        to: 'needs',
        tests: ['test/unit/plan/trash/rules.test.ts'],
      },
      {
        rule: 'what goes for space counts for the limit of a pass',
        from: 'removalLimit(facts, baseFiles) - unusedFiles',
        to: 'Number.POSITIVE_INFINITY',
      },
      { rule: 'a file with several names frees nothing for sure', from: '? 0 : allocatedBytes', to: '? allocatedBytes : allocatedBytes' },
    ],
  },
  {
    file: 'src/plan/space/pressure.ts',
    tests: [PRESSURE],
    mutants: [{ rule: 'pressure: nothing goes before its time up to the high threshold', from: ' || !isTooFull', to: '' }],
  },
  {
    file: 'src/plan/space/budget.ts',
    tests: [BUDGET],
    mutants: [
      { rule: 'budget: nothing goes before its time up to the budget', from: 'bytes > maxBytes ?', to: 'bytes > lowBytes ?' },
      { rule: 'budget: removals end at the low mark', from: 'bytes - lowBytes : 0', to: 'bytes : 0' },
    ],
  },
  {
    file: 'src/plan/space/needs.ts',
    tests: [PRESSURE, BUDGET],
    mutants: [
      {
        rule: 'no more goes before its time than is needed',
        from: 'const need = unmet(needs, planned);',
        to: 'const need = needs[0];',
      },
      { rule: 'the least recently used go first', from: '(a, b) => a.sinceMs - b.sinceMs', to: '(a, b) => b.sinceMs - a.sinceMs' },
    ],
  },
  {
    file: 'src/references/collect.ts',
    tests: ['test/unit/references/collect.test.ts'],
    mutants: [
      { rule: 'image, kernel and ramdisk protect', from: 'workload.images.flatMap(({', to: 'workload.images.slice(0, 1).flatMap(({' },
      { rule: 'every swap disk of a workload protects', from: 'workload.swapMb.map(', to: 'workload.swapMb.slice(0, 1).map(' },
      { rule: 'every ephemeral disk of a workload protects', from: 'workload.ephemeral.map(', to: 'workload.ephemeral.slice(0, 1).map(' },
      {
        rule: 'a path into _base protects the file',
        from: 'return [...swaps, ...ephemerals, ...paths];',
        to: 'return [...swaps, ...ephemerals];',
      },
      { rule: 'every reading of a reference is hashed', from: 'readingsOf(ref).map(', to: 'readingsOf(ref).slice(0, 1).map(' },
      {
        rule: 'a resize keeps the disks of its old directory in view',
        from: 'if (workload.resizing) instanceNames',
        to: 'if (false) instanceNames',
      },
    ],
  },
  {
    file: 'src/plan/gate/gate.ts',
    tests: [GATE],
    mutants: [
      {
        rule: 'SourceNotSynced: a source that is being listed closes the gate',
        from: "state === 'syncing' || state === 'failed'",
        to: "state === 'failed'",
      },
      {
        rule: 'SourceNotSynced: a source that fails closes the gate',
        from: "state === 'syncing' || state === 'failed'",
        to: "state === 'syncing'",
      },
      {
        rule: 'SourceStale: a source that is silent for too long closes the gate',
        from: '!(now.wallMs - (lastContactMs ?? Number.NaN) <= freshLimitMs)',
        to: 'false && lastContactMs === freshLimitMs',
      },
      {
        rule: 'SourceStale: a source that was never heard of is stale',
        from: 'lastContactMs ?? Number.NaN',
        to: 'lastContactMs ?? now.wallMs',
      },
      {
        rule: 'ConsistentListMissing: a list from before the scan closes the gate',
        from: '(consistentListAtMs ?? Number.NaN) >= scannedAt.wallMs',
        to: 'consistentListAtMs !== undefined || scannedAt === undefined',
      },
      {
        rule: 'ConsistentListMissing: no list closes the gate',
        from: 'consistentListAtMs ?? Number.NaN',
        to: 'consistentListAtMs ?? Number.MAX_VALUE',
      },
      {
        rule: 'WorkloadIncomplete: a gap closes the gate',
        from: 'inventory.gaps.map(({ message }) => message)',
        to: 'inventory.gaps.slice(0, 0).map(({ message }) => message)',
      },
      {
        rule: 'Unseen: what was not seen or not understood closes the gate',
        from: 'overlays.unseen.map(',
        to: 'overlays.unseen.slice(0, 0).map(',
      },
      {
        rule: 'ScanIncomplete: a base directory that cannot be listed closes the gate',
        from: 'scan.problems.map(',
        to: 'scan.problems.slice(0, 0).map(',
      },
      {
        rule: 'ClockNotSane: clocks that disagree since the last pass close the gate',
        from: 'previousPass !== undefined && driftMs(previousPass, now) > CLOCK_TOLERANCE_MS',
        to: 'previousPass !== undefined && driftMs(previousPass, now) === -1',
      },
      {
        rule: 'ClockNotSane: a jump during the pass closes the gate',
        from: 'driftMs(scannedAt, now) > CLOCK_TOLERANCE_MS',
        to: 'driftMs(scannedAt, now) === -1',
      },
      {
        rule: 'ClockNotSane: a file in use from the future closes the gate',
        from: 'if (fromTheFuture !== undefined)',
        to: 'if (fromTheFuture === null)',
      },
      {
        rule: 'EmptyInventory: knowing no workload closes the gate, unless the configuration says otherwise',
        from: 'inventory.workloads.length > 0 || policy.allowEmptyInventory',
        to: 'inventory.workloads.length >= 0 || policy.allowEmptyInventory',
      },
      {
        rule: 'HostWorkloadsUnknown: a host of the directory whose workloads are unknown closes the gate',
        from: "hostsThatAre('unknown')",
        to: '() => []',
      },
      { rule: 'HostStale: a host that has not registered for long closes the gate', from: "hostsThatAre('stale')", to: '() => []' },
      {
        rule: 'DirectoryOpenToAll: directories that everybody may write to close the gate',
        from: 'DirectoryOpenToAll: openDirectories,',
        to: 'DirectoryOpenToAll: () => [],',
      },
      {
        rule: 'StorageRegistryBroken: a registry that does not tell the hosts closes the gate',
        from: '(sharedStorage?.problem === undefined ? [] : [sharedStorage.problem])',
        to: '(sharedStorage === null ? [] : [])',
      },
      {
        rule: 'HostsUnsettled: a registry that is new closes the gate',
        from: '(sharedStorage?.unsettled === undefined ? [] : [sharedStorage.unsettled])',
        to: '(sharedStorage === null ? [] : [])',
      },
      {
        rule: 'DirectoryMismatch: another directory in the place of ours closes the gate',
        from: 'surroundings?.DirectoryMismatch ?? []',
        to: '(surroundings === undefined ? [] : [])',
      },
      {
        rule: 'SharedUndeclared: signs of other hosts close the gate',
        from: 'surroundings?.SharedUndeclared ?? []',
        to: '(surroundings === undefined ? [] : [])',
      },
      {
        rule: "ClockNotSane: a clock that is not the API server's closes the gate",
        from: ', ...(snapshot.surroundings?.ClockNotSane ?? [])',
        to: '',
      },
      {
        rule: 'the gate is open only when no condition objects',
        from: 'open: reasons.length === 0, reasons };',
        to: 'open: true, reasons };',
      },
    ],
  },
  {
    file: 'src/plan/gate/clock-evidence.ts',
    tests: [GATE],
    mutants: [
      { rule: 'ClockNotSane: what a workload names counts as in use', from: 'usagesByWorkload(lookup, file).length > 0 || ', to: '' },
      { rule: 'ClockNotSane: what an overlay stands on counts as in use', from: ' || usagesByOverlay(lookup, file).length > 0', to: '' },
    ],
  },
  {
    file: 'src/plan/build-plan.ts',
    tests: ['test/unit/pass/pass.test.ts', 'test/unit/plan/build-plan.test.ts'],
    mutants: [
      {
        rule: 'a plan that could remove something does not leave out that no list was taken',
        from: 'isListWanted(tally.totals, space, trash) ? gate : withoutMissingList(gate)',
        to: 'withoutMissingList(gate)',
      },
    ],
  },
];
