import type { MutantsOf } from './mutant.ts';

const PODS = 'test/unit/sources/pods/map-pod.test.ts';
const REACH = 'test/unit/sources/pods/reach.test.ts';
const NEIGHBOURS = 'test/integration/sources/neighbours.test.ts';
const VMI = 'test/unit/sources/vmis/map-vmi.test.ts';
const VMI_SOURCE = 'test/unit/sources/vmis/source.test.ts';
const CONSISTENT = 'test/unit/kube/watch/reflector-consistent.test.ts';
const TROUBLE = 'test/unit/kube/watch/reflector-problem.test.ts';
const REFLECTOR = 'test/unit/kube/watch/reflector.test.ts';
const LIST = 'test/unit/kube/client/list-answer.test.ts';
const AGENT = 'test/unit/agent/agent.test.ts';
const MENTIONS = 'test/integration/sources/libvirt-mentions.test.ts';

/** Design §6: that what is not known is told as a gap, and that no state is better than it is; and who decides about the mode. */
export const SOURCES: readonly MutantsOf[] = [
  {
    file: 'src/sources/pods/map-pod.ts',
    tests: [PODS, REACH, 'test/hostile/objects.test.ts'],
    mutants: [
      {
        rule: 'pods: the files of the host that a VM mounts are read',
        from: '!isBelow(path, rules.instancesPath) && !isOfTheSystem(path)',
        to: 'false',
      },
      {
        rule: 'pods: one that mounts the instances path for no known reason is a gap',
        from: "gaps: [objectGap('UnmappedWorkload', POD_SOURCE, object, message)]",
        to: 'gaps: []',
      },
      {
        rule: 'pods: one that is selected but not annotated is a gap',
        from: "gaps: [objectGap('IncompleteWorkload', POD_SOURCE, subject.object, message)],",
        to: 'gaps: [],',
      },
      {
        rule: 'pods: an annotation that is not understood is a gap',
        from: 'fields.problems.map(',
        to: 'fields.problems.slice(0, 0).map(',
      },
      {
        rule: 'pods: files that a VM pod mounts are in use',
        from: 'paths: [...paths].filter((path) => isBelow(path, rules.instancesPath)),',
        to: 'paths: [],',
      },
      {
        rule: 'pods: who can reach the instances path is believed',
        from: ' || mounts.some((path) => overlaps(path, instancesPath));',
        to: ';',
      },
      {
        rule: 'pods: a VM without images that can write near the instances path is a workload',
        from: 'return reached.some((part) => !part.readOnly && isNear(part, instancesPath));',
        to: 'return false;',
      },
      {
        rule: 'pods: only those of our own that say so are exempt',
        from: "labels.get('app.kubernetes.io/part-of') === 'basekeeper'",
        to: 'true',
      },
    ],
  },
  {
    file: 'src/sources/pods/reach/mounts.ts',
    tests: [REACH, 'test/hostile/objects.test.ts'],
    mutants: [
      {
        rule: 'pods: a host path that is not understood may be anything',
        from: 'anywhere: normal === undefined',
        to: 'anywhere: false',
      },
      {
        rule: 'pods: a failed pod of which a container still runs is not over',
        from: "at(status, 'state', 'running') === undefined)",
        to: "at(status, 'state', 'running') !== null)",
      },
      {
        rule: 'pods: only a pod that has ended is over',
        from: "if (phase !== 'Succeeded' && phase !== 'Failed') return false;",
        to: '',
      },
      {
        rule: 'pods: mounts of init and ephemeral containers count',
        from: "['containers', 'initContainers', 'ephemeralContainers']",
        to: "['containers']",
      },
      {
        rule: 'pods: a mount that shares its own mounts with the host does not only read',
        from: " && field(mount, 'mountPropagation') !== 'Bidirectional'",
        to: '',
      },
      {
        rule: 'pods: a sub-path that only the kubelet knows may lie anywhere',
        from: "!given.includes('$(') && ",
        to: '',
      },
    ],
  },
  {
    file: 'src/sources/pods/reach/holding-mount.ts',
    tests: [REACH, NEIGHBOURS],
    mutants: [
      {
        rule: 'pods: a mount of a parent of the instances path counts',
        from: 'if (!overlaps(part.path, rules.instancesPath)) return false;',
        to: 'if (part.path !== rules.instancesPath) return false;',
      },
      {
        rule: 'pods: reading from far above is harmless only with the check of current use and the scan of all disks',
        from: "liveUseCheck && overlays === 'all'",
        to: 'true',
      },
      {
        rule: 'pods: the parent of the instances path is not far above it',
        from: "path === '/' || path !== posix.dirname(instancesPath)",
        to: 'true',
      },
      {
        rule: 'pods: a mount whose place nobody knows is not far above',
        from: 'if (anywhere || ',
        to: 'if (',
      },
      {
        rule: 'pods: a known agent is exempt only for what it is known to mount',
        from: 'hostPaths.includes(part.path)',
        to: 'hostPaths.length > 0',
      },
    ],
  },
  {
    file: 'src/sources/pods/source.ts',
    tests: [VMI_SOURCE],
    mutants: [
      {
        rule: 'virt-launcher pods: one whose VMI is unknown is a gap',
        from: "return { gaps: [objectGap('IncompleteWorkload', POD_SOURCE, pod, message)] };",
        to: 'return { gaps: [] };',
      },
      {
        rule: 'virt-launcher pods: one protects what its VMI used, until the pod is gone',
        from: 'if (resolved.workload !== undefined) workloads.push(resolved.workload);',
        to: '',
      },
      {
        rule: 'virt-launcher pods: gaps of a VMI that nobody else reports are repeated',
        from: 'vmis.isReported(vmiUid) ? [] : ',
        to: 'vmis.isReported(vmiUid) || true ? [] : ',
      },
    ],
  },
  {
    file: 'src/sources/pods/claims/claims.ts',
    tests: ['test/unit/sources/pods/claims/claims.test.ts'],
    mutants: [
      {
        rule: 'claims: what does not answer is unknown',
        from: "isForbidden ? ELSEWHERE : { kind: 'unknown', why: messageOf(error) }",
        to: 'ELSEWHERE',
      },
      { rule: 'claims: what was not looked up is unknown', from: '?? NOT_YET', to: '?? ELSEWHERE' },
      { rule: 'claims: one that is not bound is asked for again', from: ', volume !== undefined];', to: ', true];' },
      { rule: 'claims: what too many others leave out is unknown', from: '[...shares(due), TOO_MANY]', to: '[...shares(due), ELSEWHERE]' },
      {
        rule: 'claims: one is asked for once, whatever the number of pods',
        from: 'Map.groupBy(missing, nameOf)',
        to: 'Map.groupBy(missing, keyOf)',
      },
      { rule: 'claims: a namespace names so many in a pass', from: 'count < MAX_PER_NAMESPACE && ', to: '' },
      { rule: 'claims: all name so many in a pass', from: ' && now.length < MAX_LOOKUPS', to: '' },
      {
        rule: 'claims: only a claim may be absent, not its volume',
        from: "persistentvolumes/${encodeURIComponent(volumeName)}` }), 'spec');",
        to: "persistentvolumes/${encodeURIComponent(volumeName)}` }).catch(absent), 'spec');",
      },
    ],
  },
  {
    file: 'src/sources/pods/claims/volume-path.ts',
    tests: ['test/unit/sources/pods/claims/volume-path.test.ts'],
    mutants: [
      { rule: 'claims: local volumes lead to the host', from: "asText(at(volume, 'local', 'path')) ?? asText", to: 'asText' },
      {
        rule: 'claims: a path that is not understood may be anything',
        from: "return normalizeHostPath(path) ?? '/';",
        to: 'return normalizeHostPath(path);',
      },
      {
        rule: 'claims: an NFS directory above or below counts',
        from: 'if (!overlaps(directory, share.path)) return undefined;',
        to: 'if (directory !== share.path) return undefined;',
      },
    ],
  },
  {
    file: 'src/sources/pods/source.ts',
    tests: ['test/unit/sources/pods/claims/claims.test.ts'],
    mutants: [
      {
        rule: 'claims: a pod holds for what they lead to',
        from: 'const mapped = paths.size === 0 ? record',
        to: 'const mapped = true ? record',
      },
    ],
  },
  {
    file: 'src/sources/libvirt/disks.ts',
    tests: ['test/unit/sources/libvirt/domain.test.ts'],
    mutants: [
      {
        rule: 'libvirt: a backup that runs names its file',
        from: "(name === 'target' || name === 'scratch') && attributes.has('file')",
        to: 'false',
      },
      {
        rule: 'libvirt: a header at an offset is not read',
        from: ', ...slicesOf(root)',
        to: '',
        tests: ['test/integration/layers.test.ts'],
      },
      {
        rule: 'libvirt: a server on a socket of this host may read any file',
        from: ', ...localServersOf(root)',
        to: '',
      },
      {
        rule: 'libvirt: mirrors are disks',
        from: "const sources = element.name === 'mirror' ? [element, ...own] : own;",
        to: 'const sources = own;',
      },
      {
        rule: 'libvirt: a volume of a pool that cannot be read is a gap',
        from: 'return { problem: `${what}, whose',
        to: 'return NOTHING;\n  return { problem: `${what}, whose',
      },
      { rule: 'libvirt: a disk of an unknown type is a gap', from: '[...found, ...boot, ...disks, ', to: '[...found, ...boot, ' },
      { rule: 'libvirt: a backing store may be a device', from: "'disk', 'backingStore', 'mirror', 'dataStore', 'src'", to: "'disk'" },
      { rule: 'libvirt: the command line of QEMU names disks', from: ', ...disks, ...filesForQemu(domain), ', to: ', ...disks, ' },
      {
        rule: 'libvirt: no place speaks for another about the format of a file',
        from: '[`${disk.format} ${disk.isLoaded} ${disk.path}`, disk]',
        to: '[disk.path, disk]',
        tests: ['test/integration/stated-formats.test.ts', 'test/unit/sources/libvirt/domain.test.ts'],
      },
      {
        rule: 'libvirt: firmware in another format than raw may be backed by a file',
        from: "loadedFile(textOf(element), attributes?.get('format'))",
        to: 'loadedFile(textOf(element))',
      },
      {
        rule: 'libvirt: templates of firmware are in use',
        from: "loadedFile(attributes?.get('template') ?? '',",
        to: "loadedFile('',",
        tests: [MENTIONS],
      },
    ],
  },
  {
    file: 'src/sources/libvirt/found-file.ts',
    tests: ['test/unit/sources/libvirt/domain.test.ts'],
    mutants: [
      {
        rule: 'libvirt: a file that is named in no known way is a gap',
        from: "if (!path.startsWith('/') || path.includes('\\0'))",
        to: 'if (false)',
      },
      { rule: 'libvirt: only firmware and kernels need not be seen', from: '{ ...disk, isLoaded: true }', to: '{ ...disk }' },
    ],
  },
  {
    file: 'src/sources/libvirt/qemu-options.ts',
    tests: [MENTIONS],
    mutants: [
      {
        rule: 'libvirt: options that QEMU reads from a file are a gap',
        from: 'if (/^--?readconfig$/',
        to: 'if (/^never$/',
        tests: ['test/unit/sources/libvirt/domain.test.ts'],
      },
      {
        rule: 'libvirt: escapes in JSON are read',
        from: 'return String(JSON.parse(`"${text}"`));',
        to: 'JSON.parse(`"${text}"`);\n    return text;',
        tests: ['test/unit/sources/libvirt/domain.test.ts'],
      },
      { rule: 'libvirt: a program that QEMU runs is a gap', from: 'if (/^--?incoming$/', to: 'if (/^never$/' },
      { rule: 'libvirt: the environment of QEMU names files', from: "...values('env'), ", to: '' },
      {
        rule: 'libvirt: overridden properties name files',
        from: "...args, ...values('env'), ...properties]",
        to: "...args, ...values('env')]",
      },
      { rule: 'libvirt: a path within a word of the command line counts', from: '[...args, ...values', to: '[...values' },
    ],
  },
  {
    file: 'src/sources/libvirt/domain.ts',
    tests: [MENTIONS],
    mutants: [{ rule: 'libvirt: a base file that is named anywhere in a domain stays', from: ', ...textsOf(root)]', to: ']' }],
  },
  {
    file: 'src/sources/libvirt/source.ts',
    tests: [MENTIONS],
    mutants: [
      {
        rule: 'libvirt: a definition that lies among the links of autostart counts',
        from: ", join(options.definitionsPath, 'autostart')]",
        to: ']',
      },
    ],
  },
  {
    file: 'src/sources/vmis/map-vmi.ts',
    tests: [VMI, 'test/hostile/objects.test.ts'],
    mutants: [
      {
        rule: 'VMIs: every phase protects',
        from: 'images: [...diskImages(list),',
        to: "images: [...(at(vmi, 'status', 'phase') === 'Succeeded' ? [] : diskImages(list)),",
      },
      { rule: 'VMIs: the images of container disks protect', from: 'images: [...diskImages(list),', to: 'images: [' },
      { rule: 'VMIs: the kernelBoot container protects', from: '...kernelBoot(vmi),', to: '' },
      {
        rule: 'VMIs: host disks protect',
        from: 'paths: disks.map(({ path }) => path).filter((path) => isBelow(path, instancesPath)),',
        to: 'paths: [],',
      },
      { rule: 'VMIs: host disks are read wherever they lie', from: '    disks,\n', to: '' },
      { rule: 'VMIs: volumes that are not a list are a gap', from: "problems.push('spec.volumes is not a list');", to: ';' },
    ],
  },
  {
    file: 'src/sources/vmis/source.ts',
    tests: [VMI_SOURCE],
    mutants: [
      { rule: 'migrations: the target is protected as well', from: '...this.#byTarget.items(), ', to: '' },
      { rule: 'migrations: a VMI between the two watches is protected', from: '...this.#memory.lingering(this.#nowMs()), ', to: '' },
      {
        rule: 'migrations: the target label is listed first',
        from: '(await this.#byTarget.listConsistent(signal)) && (await this.#byNode.listConsistent(signal))',
        to: '(await this.#byNode.listConsistent(signal)) && (await this.#byTarget.listConsistent(signal))',
      },
    ],
  },
  {
    file: 'src/sources/status.ts',
    tests: ['test/unit/sources/vmis/source.test.ts'],
    mutants: [
      {
        rule: 'the worst of several watches is the state',
        from: 'WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state)',
        to: '0',
      },
      {
        rule: 'the oldest contact of several watches counts',
        from: 'lastContactMs: earliest(statuses.map(({ lastContactMs }) => lastContactMs)),',
        to: 'lastContactMs: statuses.at(-1)?.lastContactMs,',
      },
      {
        rule: 'the oldest list of several watches counts',
        from: 'consistentListAtMs: earliest(statuses.map(({ consistentListAtMs }) => consistentListAtMs)),',
        to: 'consistentListAtMs: statuses[0]?.consistentListAtMs,',
      },
    ],
  },
  {
    file: 'src/kube/client/item-cutter.ts',
    tests: [LIST],
    mutants: [
      { rule: 'lists: an escaped quote ends no string', from: 'else if (byte === BACKSLASH) this.#escaped = true;', to: '' },
      {
        rule: 'lists: the items of an inner object are not those of the list',
        from: 'this.#inItems || this.#depth !== ITEMS_DEPTH) return start;\n      this.#hold(chunk.subarray(start, index + 1))',
        to: 'this.#inItems) return start;\n      this.#hold(chunk.subarray(start, index + 1))',
      },
      { rule: 'lists: the last item counts as well', from: 'if (!isEmpty) this.#endItem();', to: '' },
      { rule: 'lists: the bytes of one object are bounded', from: '> this.#options.limitBytes) this', to: '> 1e12) this' },
    ],
  },
  {
    file: 'src/kube/client/list-answer.ts',
    tests: [LIST],
    mutants: [
      { rule: 'lists: items that are given twice are refused', from: 'if (cutter.lists > 0 && ', to: 'if (cutter.lists > 2 && ' },
      { rule: 'lists: the bytes of all are bounded', from: 'if (length > limits.answerBytes) throw', to: 'if (length < 0) throw' },
    ],
  },
  {
    file: 'src/kube/watch/health.ts',
    tests: [TROUBLE, CONSISTENT, REFLECTOR],
    mutants: [
      {
        rule: 'a refusal is a failure of the source',
        from: "isPassing(error) && this.state === 'synced' ? 'synced' : 'failed'",
        to: "this.state === 'synced' ? 'synced' : 'failed'",
      },
      {
        rule: 'a source without a first list is not synced',
        from: "isPassing(error) && this.state === 'synced' ? 'synced' : 'failed'",
        to: "isPassing(error) ? 'synced' : 'failed'",
      },
      {
        rule: 'a list and a contact do not become younger when the clock is set back',
        from: 'setForwardMs < -CLOCK_NOISE_MS ? then.wallMs + setForwardMs : then.wallMs',
        to: 'setForwardMs === 0.5 ? then.wallMs + setForwardMs : then.wallMs',
      },
    ],
  },
  {
    file: 'src/kube/watch/reflector.ts',
    tests: [CONSISTENT, TROUBLE, REFLECTOR],
    mutants: [
      {
        rule: 'a consistent list is a quorum read',
        from: 'await this.#list(undefined, signal);\n        this.#health',
        to: "await this.#list('0', signal);\n        this.#health",
      },
      {
        rule: 'a consistent list counts from when it was asked for',
        from: 'this.#health.listedConsistently(startedAt);',
        to: 'this.#health.listedConsistently(this.#options.clock.now());',
      },
      {
        rule: 'an event that cannot be understood leads to a new list',
        from: 'this.#needsList = true;\n      throw error;',
        to: 'throw error;',
      },
      {
        rule: 'a past that the server has forgotten leads to a new list',
        from: "if (known?.status === 410 || known?.reason === 'InvalidResponse') this.#needsList = true;",
        to: '',
      },
      {
        rule: 'absence is confirmed by discovery',
        from: 'if (!(await this.#exists(this.#monotonicMs(), signal))) return true;',
        to: 'return true;',
      },
    ],
  },
  {
    file: 'src/kube/watch/object-store.ts',
    tests: [CONSISTENT, REFLECTOR],
    mutants: [
      {
        rule: 'what the watch saw after a list is not undone by it',
        from: 'if (!restart) for (const change of this.#journal ?? [])',
        to: 'if (false) for (const change of this.#journal ?? [])',
      },
      {
        rule: 'events from before a list do not undo it',
        from: 'if (version !== undefined && version <= this.#floor) return false;',
        to: '',
      },
    ],
  },
  {
    file: 'src/sources/file/source.ts',
    tests: ['test/integration/sources/file.test.ts'],
    mutants: [
      {
        rule: 'a workloads file that cannot be read is a failure, not an empty list',
        from: "state: 'failed', consistentListAtMs: undefined, message }",
        to: "state: 'synced', consistentListAtMs: startedAtMs, message }",
      },
      { rule: 'a workloads file that is not UTF-8 is refused', from: '{ fatal: true }', to: '{ fatal: false }' },
    ],
  },
  {
    file: 'src/agent/mode.ts',
    tests: ['test/unit/agent/mode.test.ts'],
    mutants: [
      {
        rule: 'no node, no removals: its annotation may say off',
        from: 'if (annotations === undefined) return harmless;',
        to: 'if (annotations === undefined) return configured;',
      },
      { rule: 'a mode annotation that is not a mode leads to no removals', from: '?? harmless;', to: '?? configured;' },
    ],
  },
  {
    file: 'src/agent/agent.ts',
    tests: [AGENT],
    mutants: [
      { rule: 'the mode off runs no pass', from: "if (mode === 'off') return this.#parts.skipped('the mode is off');", to: '' },
      { rule: 'the mode dry-run is a dry run', from: 'dryRun: true,', to: 'dryRun: false,' },
      {
        rule: 'a pass that removes stops when the mode becomes less',
        from: "if (mode !== 'enforce') this.#removals?.abort",
        to: "if (mode === 'off') this.#removals?.abort",
      },
      {
        rule: 'a pass is told the clocks of the one before',
        from: 'previousPass: this.#lastPass, signal: either',
        to: 'previousPass: undefined, signal: either',
      },
    ],
  },
];
