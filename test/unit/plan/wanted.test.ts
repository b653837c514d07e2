import { describe, expect, it } from 'vitest';
import { buildPlan } from '../../../src/plan/build-plan.ts';
import { baseFile, DIGEST, IMAGE, POLICY, snapshot } from '../../helpers/snapshot.ts';

const OTHER = '5bf2eb1c-56f4-4d49-8d6f-b2e6e8a1b5f0';
const pins = (...wanted: string[]) => ({ ...POLICY.pins, imageRefs: wanted, wanted });

describe('the images that somebody wants on a node', () => {
  it('should be there or not, each with who wants it', () => {
    const map = { origin: 'ConfigMap basekeeper/golden', imageRefs: [OTHER, IMAGE], fileNames: [], wanted: [OTHER, IMAGE] };
    const plan = buildPlan(snapshot({ policy: { pins: pins(IMAGE) }, inventory: { pins: [map] } }));
    expect(plan.wanted).toEqual([
      { imageRef: OTHER, by: ['ConfigMap basekeeper/golden'], present: false },
      { imageRef: IMAGE, by: ['configuration', 'ConfigMap basekeeper/golden'], present: true },
    ]);
    expect(plan.files.at(0)).toMatchObject({ name: DIGEST, verdict: 'keep', reason: 'PinnedByConfig' });
  });

  it('should not be there where only a resized file is: Nova would fetch the image again', () => {
    const files = [baseFile({ name: `${DIGEST}_20`, kind: 'resized' })];
    expect(buildPlan(snapshot({ files, policy: { pins: pins(IMAGE) } })).wanted).toMatchObject([{ present: false }]);
  });

  it('should be found by any reading of a reference with blanks in it', () => {
    expect(buildPlan(snapshot({ policy: { pins: pins(` ${IMAGE}\n`) } })).wanted).toMatchObject([{ present: true }]);
  });

  it('should not be spoken of where nobody wants any', () => {
    expect(buildPlan(snapshot())).not.toHaveProperty('wanted');
    expect(buildPlan(snapshot({ policy: { pins: { imageRefs: [IMAGE], fileNames: [] } } }))).not.toHaveProperty('wanted');
  });
});
