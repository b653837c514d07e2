/** What the demo's node looks like: images, base files with their ages, instance disks, and who runs. */
import { cacheFileName, ephemeralFileName, swapFileName } from '../../src/model/names.ts';

export const NODE_NAME = 'node-1';
export const NAMESPACE = 'vms';
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3600;

export const IMAGES = {
  ubuntu: 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0',
  postgres: '7d2f4c6e-51a0-4b0e-9a43-0e0c3c1f7b55',
  fedora: 'quay.io/containerdisks/fedora:43',
  unshelved: '1c9d6b5a-0f3e-4d77-8a52-6a3a5f2a9e10',
  golden: '90a1b2c3-d4e5-4f60-8717-28394a5b6c7d',
  retired: 'c2b9f3de-6a77-4a52-b7a5-0d6a9f0c4e21',
  fresh: '3f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a',
} as const;

export interface DemoBaseFile {
  readonly name: string;
  readonly sizeMb: number;
  readonly ageSeconds: number;
  /** For the reader: whose it is. */
  readonly about: string;
}

const original = (image: keyof typeof IMAGES) => cacheFileName(IMAGES[image]);
/** Nova names a resized copy by the size in bytes. */
const resized = (image: keyof typeof IMAGES, sizeGb: number) => `${original(image)}_${sizeGb * 2 ** 30}`;

export const BASE_FILES: readonly DemoBaseFile[] = [
  { name: original('ubuntu'), sizeMb: 24, ageSeconds: 40 * DAY_SECONDS, about: 'image of pod web-1' },
  { name: resized('ubuntu', 20), sizeMb: 26, ageSeconds: 40 * DAY_SECONDS, about: 'its disk is backed by this' },
  { name: original('postgres'), sizeMb: 32, ageSeconds: 12 * DAY_SECONDS, about: 'image of pod db-1' },
  { name: original('fedora'), sizeMb: 18, ageSeconds: 5 * DAY_SECONDS, about: 'containerDisk of VMI desktop-1' },
  { name: original('unshelved'), sizeMb: 14, ageSeconds: 90 * DAY_SECONDS, about: 'no image explains it, but a disk uses it' },
  { name: original('golden'), sizeMb: 16, ageSeconds: 60 * DAY_SECONDS, about: 'pinned by the configuration' },
  { name: original('retired'), sizeMb: 40, ageSeconds: 33 * DAY_SECONDS, about: 'nobody uses it any more' },
  { name: resized('retired', 40), sizeMb: 44, ageSeconds: 33 * DAY_SECONDS, about: 'its resized copy' },
  { name: original('fresh'), sizeMb: 12, ageSeconds: 3 * HOUR_SECONDS, about: 'unused, but only for three hours' },
  { name: swapFileName(512), sizeMb: 2, ageSeconds: 12 * DAY_SECONDS, about: 'swap of pod db-1' },
  { name: swapFileName(2048), sizeMb: 8, ageSeconds: 8 * DAY_SECONDS, about: 'swap of nobody' },
  {
    name: ephemeralFileName({ sizeGb: 20, filesystem: 'ext4' }),
    sizeMb: 6,
    ageSeconds: 12 * DAY_SECONDS,
    about: 'scratch disk of pod db-1',
  },
  { name: 'do-not-delete.txt', sizeMb: 1, ageSeconds: 400 * DAY_SECONDS, about: 'somebody’s note' },
];

/** The base file that nobody's annotations explain. */
export const PUZZLE = original('unshelved');

/** Overlays by qemu-img: `<instance>/disk` on a base file. */
export const OVERLAYS: readonly { readonly instance: string; readonly baseName: string; readonly sizeGb: number }[] = [
  { instance: 'instance-00000001', baseName: resized('ubuntu', 20), sizeGb: 20 },
  { instance: 'instance-00000002', baseName: original('postgres'), sizeGb: 80 },
  { instance: 'instance-00000007', baseName: original('unshelved'), sizeGb: 10 },
];

interface DemoWorkload {
  readonly name: string;
  readonly instance: string;
  readonly imageRef: string;
  readonly swapMb?: number;
  readonly ephemeral?: { readonly sizeGb: number; readonly filesystem: string };
}

/** Pods that carry Basekeeper's annotations. */
export const PODS: readonly DemoWorkload[] = [
  { name: 'web-1', instance: 'instance-00000001', imageRef: IMAGES.ubuntu },
  { name: 'db-1', instance: 'instance-00000002', imageRef: IMAGES.postgres, swapMb: 512, ephemeral: { sizeGb: 20, filesystem: 'ext4' } },
  { name: 'unshelved-1', instance: 'instance-00000007', imageRef: IMAGES.ubuntu },
];

export const VMI = { name: 'desktop-1', instance: 'desktop-1', imageRef: IMAGES.fedora } as const;

export const WORKLOADS: readonly DemoWorkload[] = [...PODS, VMI];
