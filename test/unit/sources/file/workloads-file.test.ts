import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { parseWorkloads } from '../../../../src/sources/file/workloads-file.ts';
import { parseProgramsJson } from '../../../../src/lib/yaml/document.ts';

const errorsOf = (text: string) => parseWorkloads(text).errors;

describe('a workloads file', () => {
  it('should describe VMs', () => {
    const text = `
workloads:
  - name: instance-00000001
    uuid: 5f0e2c9a-0000-4000-8000-000000000001
    imageRef: fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0
    kernelId: k
    ramdiskId: r
    resizing: true
    swapMb: [512, 0]
    ephemeral: [{sizeGb: 20, filesystem: ext4}, {sizeGb: 10}]
  - name: instance-00000002
`;
    expect(parseWorkloads(text)).toEqual({
      workloads: [
        {
          source: 'file',
          name: 'instance-00000001',
          instanceNames: ['instance-00000001', '5f0e2c9a-0000-4000-8000-000000000001'],
          resizing: true,
          images: [
            { role: 'image', ref: 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0' },
            { role: 'kernel', ref: 'k' },
            { role: 'ramdisk', ref: 'r' },
          ],
          swapMb: [512],
          ephemeral: [{ sizeGb: 20, filesystem: 'ext4' }, { sizeGb: 10 }],
          paths: [],
        },
        {
          source: 'file',
          name: 'instance-00000002',
          instanceNames: ['instance-00000002'],
          resizing: false,
          images: [],
          swapMb: [],
          ephemeral: [],
          paths: [],
        },
      ],
    });
  });

  it('should be valid as an empty list, but not as an empty file', () => {
    expect(parseWorkloads('workloads: []')).toEqual({ workloads: [] });
    for (const text of ['', '# nothing\n', '{}', 'workloads:']) expect(errorsOf(text)).toHaveLength(1);
    expect(errorsOf('')).toEqual([{ path: 'workloads', line: 1, message: 'is required' }]);
  });

  it('should drop an empty image id, and keep any other as it stands', () => {
    expect(
      parseWorkloads('workloads: [{name: a, imageRef: ""}, {name: b, imageRef: " ü "}]').workloads?.map(({ images }) => images),
    ).toEqual([[], [{ role: 'image', ref: ' ü ' }]]);
  });

  it.each([
    ['an unknown key', 'workloads:\n  - name: a\n    imageref: x', 'workloads[0].imageref', 3, /unknown; known are name, uuid, imageRef/],
    ['an unknown key at the top', 'workloads: []\nextra: 1', 'extra', 2, /unknown; known are generatedAt, workloads, complete/],
    ['an unknown key of a disk', 'workloads:\n- name: a\n  ephemeral:\n  - sizeGB: 1', 'workloads[0].ephemeral[0].sizeGB', 4, /sizeGb/],
    ['a missing name', 'workloads:\n  - uuid: u', 'workloads[0].name', 2, /is required/],
    ['a number for an image id', 'workloads:\n  - name: a\n    imageRef: 12e5', 'workloads[0].imageRef', 3, /text; put it in quotes/],
    [
      'a size that is not a number',
      'workloads:\n  - name: a\n    swapMb:\n      - 1\n      - x',
      'workloads[0].swapMb[1]',
      5,
      /whole number/,
    ],
    ['a negative size', 'workloads:\n  - name: a\n    swapMb: [-1]', 'workloads[0].swapMb[0]', 3, /at least 0/],
    ['a size beyond Nova', 'workloads:\n  - name: a\n    swapMb: [2147483648]', 'workloads[0].swapMb[0]', 3, /at most 2147483647/],
    ['a fraction', 'workloads:\n  - name: a\n    swapMb: [1.5]', 'workloads[0].swapMb[0]', 3, /whole number/],
    ['a name that is a path', 'workloads:\n  - name: ../a', 'workloads[0].name', 2, /name of a directory/],
    ['an empty name', 'workloads:\n  - name: ""', 'workloads[0].name', 2, /name of a directory/],
    ['an invalid list', 'workloads: {a: 1}', 'workloads', 1, /a list/],
    ['a prototype as key', 'workloads: []\n__proto__: {x: 1}', '__proto__', 2, /unknown/],
  ])('should be refused with path and line for %s', (_what, text, path, line, message) => {
    expect(errorsOf(text)).toContainEqual({ path, line, message: expect.stringMatching(message) });
  });

  it('should report every mistake at once', () => {
    expect(errorsOf('workloads:\n  - name: a\n    x: 1\n    y: 2\n  - resizing: maybe\n')).toHaveLength(4);
  });

  it.each([
    ['a duplicate key', 'workloads: []\nworkloads: []', 2],
    ['a tab', 'workloads:\n\t- name: a', 2],
    ['two documents', 'workloads: []\n---\nworkloads: []', 2],
    ['an unknown tag', 'workloads: !!js/function x', 1],
    ['an alias without anchor', 'workloads: *nobody', 1],
  ])('should be refused as YAML for %s', (_what, text, line) => {
    expect(errorsOf(text)?.[0]?.line).toBe(line);
  });

  it('should not blow up at a billion laughs or at deep nesting', () => {
    const laughs = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 10; level++)
      laughs.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(',')}]`);
    expect(errorsOf(`${laughs.join('\n')}\nworkloads: *a9`)?.length).toBeGreaterThan(0);
    expect(errorsOf('['.repeat(20_000))?.length).toBeGreaterThan(0);
    expect(errorsOf(`workloads: ${'['.repeat(20_000)}${']'.repeat(20_000)}`)?.length).toBeGreaterThan(0);
  });

  it('should be parsed or refused, never thrown at, whatever it holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const parsed = parseWorkloads(text);
        expect(parsed.errors === undefined ? parsed.workloads : parsed.errors.length).toBeTruthy();
      }),
    );
  });
});

describe('a workloads file that a program wrote as JSON', () => {
  const file = { workloads: [{ name: 'instance-00000001', imageRef: 'é\u2028"\\', swapMb: [512], ephemeral: [{ sizeGb: 20 }] }] };
  const compact = JSON.stringify(file);

  it('should describe the same VMs as the same text read as YAML', () => {
    const asYaml = parseWorkloads(`# YAML\n${compact}`);
    expect(asYaml.workloads).toHaveLength(1);
    for (const text of [compact, `${compact}\n`, JSON.stringify(file, null, 2)]) expect(parseWorkloads(text)).toEqual(asYaml);
  });

  it('should be read without the YAML parser', () => {
    expect(parseProgramsJson(compact)).toEqual(file);
    expect(parseProgramsJson(`# YAML\n${compact}`)).toBeUndefined();
  });

  it('should be read so whatever its white space, and however it escapes its texts', () => {
    const value = { workloads: [{ name: 'a b', imageRef: ' é"\\ : , \u2028', swapMb: [1, 2] }] };
    const pythons = JSON.stringify(value)
      .replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .replace('"imageRef":', '"imageRef" : ')
      .replace('[1,2]', '[1, 2]');
    for (const text of [
      pythons,
      JSON.stringify(value, null, 4),
      JSON.stringify(value, null, '\t').replaceAll('\n', '\r\n'),
      ` ${pythons} \n`,
    ])
      expect(parseProgramsJson(text)).toEqual(value);
  });

  it('should be left to the YAML parser where a key is given twice, or a text means something else in JavaScript', () => {
    const texts = [
      '{"a": 1, "a": 1}',
      '{"a": {"b": 1}, "a": 2}',
      String.raw`{"a": 1, "\u0061": 1}`,
      '{"a": 1e400}',
      '{"2": 1, "1": 1}',
      '{"a" 1}',
    ];
    expect(texts.map(parseProgramsJson)).toEqual(texts.map(() => undefined));
  });

  it('should still be refused for what YAML refuses, with the place', () => {
    expect(errorsOf('{"workloads":[{"name":"a","name":"b"}]}')).toEqual([
      expect.objectContaining({ message: expect.stringContaining('given twice') }),
    ]);
    expect(errorsOf(JSON.stringify({ workloads: [{ name: 'a' }, { name: 'b', size: 1 }] }, null, 2))).toEqual([
      { path: 'workloads[1].size', line: 8, message: expect.stringContaining('is unknown') },
    ]);
  });
});
