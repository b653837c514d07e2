import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { cacheFileName } from '../../../src/model/names.ts';
import { collectReferences } from '../../../src/references/collect.ts';
import { parseHostReport } from '../../../src/shared-storage/host-report.ts';
import { parseWorkloads } from '../../../src/sources/file/workloads-file.ts';
import { pinOfAnnotation, pinOfConfigMap } from '../../../src/sources/pins/pins.ts';
import { mapPod } from '../../../src/sources/pods/map-pod.ts';
import { compileRule } from '../../../src/sources/rules/map-object.ts';
import { mapVmi } from '../../../src/sources/vmis/map-vmi.ts';
import type { Pin, Workload } from '../../../src/model/workload.ts';
import { buildPlan } from '../../../src/plan/build-plan.ts';
import { POD_RULES } from '../../helpers/kube-objects.ts';
import { DIGEST, IMAGE, baseFile, snapshot, workload } from '../../helpers/snapshot.ts';

const METADATA = { name: 'vm', namespace: 'default', uid: 'u' };
const RULES = { ...POD_RULES, instancesPath: '/i', resolveLaunchers: false };
const SPEC = { volumes: [{ name: 'host', hostPath: { path: '/' } }] };

function reportOf(parts: object) {
  const text = JSON.stringify({
    apiVersion: 'basekeeper.io/v1',
    kind: 'HostReport',
    host: 'h',
    takenAtMs: 0,
    onlyByReport: true,
    incomplete: [],
    workloads: [],
    pins: [],
    ...parts,
  });
  const { report, problem } = parseHostReport(text, 'h');
  if (report === undefined) throw new Error(problem);
  return report;
}

/** What each entrance makes of a workload that names its image so. */
const WORKLOADS: Readonly<Record<string, (ref: string) => Workload | undefined>> = {
  "a pod's annotation": (ref) =>
    mapPod({ metadata: { ...METADATA, annotations: { 'basekeeper.io/image-ref': ref } }, spec: SPEC }, RULES)?.workload,
  "a VMI's containerDisk": (ref) => mapVmi({ metadata: METADATA, spec: { volumes: [{ containerDisk: { image: ref } }] } }, '/i').workload,
  'a rule': (ref) =>
    compileRule(
      {
        name: 'r',
        apiVersion: 'example.com/v1',
        kind: 'Machine',
        nodeFrom: [],
        fields: { imageRef: [{ path: '{.spec.image}', optional: false }] },
      },
      'n',
    )({ metadata: METADATA, spec: { image: ref } })?.workload,
  'the workloads file': (ref) => parseWorkloads(JSON.stringify({ workloads: [{ name: 'vm', imageRef: ref }] })).workloads?.[0],
  "another host's report": (ref) => {
    const { name, instanceNames, resizing, swapMb, ephemeral, paths } = workload();
    const reported = { name, instanceNames, resizing, images: [{ role: 'image', ref }], swapMb, ephemeral, paths };
    return { source: 'sharedStorage', ...reportOf({ workloads: [reported] }).workloads[0] } as Workload;
  },
};

/** What each entrance makes of a pin that is written so. */
const PINS: Readonly<Record<string, (ref: string) => Pin | undefined>> = {
  "the node's annotation": pinOfAnnotation,
  'a ConfigMap': (imageRefs) => pinOfConfigMap({ metadata: METADATA, data: { imageRefs } }).pin,
  "another host's report": (ref) => reportOf({ pins: [{ origin: 'configuration', imageRefs: [ref], fileNames: [] }] }).pins[0],
  'the configuration': (ref) => {
    const { config } = loadConfig({ env: { NODE_NAME: 'n' }, text: JSON.stringify({ pins: { imageRefs: [ref] } }) });
    return config && { origin: 'configuration', ...config.policy.pins };
  },
};

describe.each(Object.entries(WORKLOADS))('a workload of %s', (_, read) => {
  it.each([`${IMAGE}\n`, ` ${IMAGE}`, `${IMAGE}\t`])('should keep its image though its reference has blanks around it: %j', (ref) => {
    const found = read(ref);
    const { byDigest } = collectReferences(found === undefined ? [] : [found], '_base');
    expect(byDigest.has(DIGEST)).toBe(true);
  });

  it('should keep every reading of a reference with a blank in it, hold nothing, and say so', () => {
    const found = read(`other ${IMAGE}`);
    const workloads = found === undefined ? [] : [found];
    const { byDigest } = collectReferences(workloads, '_base');
    expect([...byDigest.keys()].toSorted()).toEqual([cacheFileName(`other ${IMAGE}`), DIGEST, cacheFileName('other')].toSorted());
    const plan = buildPlan(snapshot({ workloads }));
    expect(plan.gate).toEqual({ open: true, reasons: [] });
    expect(plan.findings).toEqual([
      expect.objectContaining({ type: 'AmbiguousReference', message: expect.stringContaining('are all kept') }),
    ]);
  });
});

describe.each(Object.entries(PINS))('a pin of %s', (_, read) => {
  it.each([`${IMAGE}\n`, ` ${IMAGE}`, `other ${IMAGE}`])('should keep its image though it is written with blanks: %j', (ref) => {
    const pin = read(ref);
    const inventory = { pins: pin === undefined ? [] : [pin] };
    const plan = buildPlan(snapshot({ files: [baseFile()], inventory }));
    expect([...plan.files].map(({ reason }) => reason)).toEqual(['PinnedByConfig']);
    expect(plan.gate.open).toBe(true);
  });
});

describe('a pin by a glob that cannot be understood', () => {
  it.each(['!(x)', 'a'.repeat(256), '[a', 'a/b'])('should keep every file, hold nothing, and say so: %j', (glob) => {
    const inventory = { pins: [{ origin: 'annotation basekeeper.io/pin', imageRefs: [], fileNames: [glob] }] };
    const plan = buildPlan(snapshot({ files: [baseFile()], inventory }));
    expect([...plan.files].map(({ reason }) => reason)).toEqual(['PinnedByConfig']);
    expect(plan.findings).toEqual([
      expect.objectContaining({
        type: 'AmbiguousReference',
        message: expect.stringMatching(/annotation basekeeper.io\/pin.*keeps every file, because/),
      }),
    ]);
  });
});
