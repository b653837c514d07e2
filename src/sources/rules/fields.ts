import type { WorkloadField } from '../../model/workload-rule.ts';
import { noFields, takeField, type Fields, type FieldValues } from '../take-field.ts';
import { quote, type ValueReader } from './values.ts';

const IMAGES: ReadonlySet<WorkloadField> = new Set(['imageRef', 'kernelId', 'ramdiskId']);

/** Reads every field that the rule has. What can be read counts, even where something else cannot; an empty text says: none. */
export function readFields(readers: ReadonlyMap<WorkloadField, readonly ValueReader[]>, object: unknown): FieldValues {
  const fields = noFields();
  for (const [name, ofField] of readers) {
    for (const found of ofField.map((read) => read(object))) {
      fields.problems.push(...found.problems.map((problem) => `${name}: ${problem}`));
      for (const value of new Set(found.values)) {
        const expected = value === '' ? undefined : takeValue(name, value, fields);
        if (expected !== undefined) fields.problems.push(`${name}: ${quote(value)} is not ${expected}`);
      }
    }
  }
  return fields;
}

function takeValue(name: WorkloadField, value: string | number, fields: Fields): string | undefined {
  // A number was an id once, before somebody forgot its quotes: 007 and 7 are two images.
  if (typeof value === 'number' && IMAGES.has(name)) return 'text';
  return takeField(name, String(value), fields);
}
