import type { BaseFile } from '../model/scan.ts';
import type { PlannedFile } from '../model/plan.ts';
import type { Usage } from '../model/references.ts';
import type { Rows } from '../model/rows.ts';
import { timestamp } from '../lib/timestamp.ts';
import type { Facts } from './facts.ts';
import { ageMs, minimumAgeSeconds } from './minimum-age.ts';
import { RULES } from './rules.ts';
import { usagesByBaseFile, usagesByOverlay, usagesByWorkload } from './usages.ts';
import { digestOf } from '../model/names.ts';
import { DECIDED_REASONS, PRESSED } from './verdicts.ts';

/** The plan's rows, made from the scan's row and the verdict's byte when somebody looks. */
export class PlannedFiles implements Rows<PlannedFile> {
  readonly length: number;
  readonly #facts: Facts;
  readonly #files: Rows<BaseFile>;
  readonly #verdicts: Uint8Array;

  constructor(facts: Facts, files: Rows<BaseFile>, verdicts: Uint8Array) {
    this.length = files.length;
    this.#facts = facts;
    this.#files = files;
    this.#verdicts = verdicts;
  }

  at(index: number): PlannedFile | undefined {
    const file = this.#files.at(index);
    return file === undefined ? undefined : this.#plan(file, this.#verdicts.at(index) ?? 0);
  }

  *[Symbol.iterator](): Iterator<PlannedFile> {
    let index = 0;
    for (const file of this.#files) yield this.#plan(file, this.#verdicts[index++] ?? 0);
  }

  toJSON(): PlannedFile[] {
    return [...this];
  }

  #plan(file: BaseFile, decided: number): PlannedFile {
    const { policy } = this.#facts;
    const minimum = decided === PRESSED ? policy.minimumAgeFloorSeconds : minimumAgeSeconds(file.kind, policy);
    return {
      name: file.name,
      kind: file.kind,
      sizeBytes: file.sizeBytes,
      allocatedBytes: file.allocatedBytes,
      modifiedAt: timestamp(file.modifiedAtMs),
      ageSeconds: Math.floor(ageMs(file, this.#facts) / 1000),
      minimumAgeSeconds: minimum,
      verdict: decided === PRESSED ? 'remove' : (RULES[decided]?.verdict(this.#facts, file) ?? 'keep'),
      reason: DECIDED_REASONS[decided] ?? 'GateClosed',
      usedBy: this.#usedBy(file),
      identity: { device: String(file.device), inode: String(file.inode), modifiedAtNs: String(file.modifiedAtNs) },
    };
  }

  #usedBy(file: BaseFile): readonly Usage[] {
    if (file.kind === 'foreign') return [...usagesByOverlay(this.#facts, file), ...usagesByBaseFile(this.#facts, file)];
    const workloads = usagesByWorkload(this.#facts, file);
    const overlays = [...usagesByOverlay(this.#facts, file), ...usagesByBaseFile(this.#facts, file)];
    const pins = this.#facts.pinsOf(file.name, digestOf(file));
    if (overlays.length === 0 && pins.length === 0) return workloads;
    return [...workloads, ...overlays, ...pins];
  }
}
