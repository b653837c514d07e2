/** Which releases of Nova were compared, piece by piece: what `npm run parity -- --nova VERSION` holds a release against. */

export interface Piece {
  /** What it is for, in a few words. */
  readonly purpose: string;
  /** Every digest of it that somebody has read, with what differs from 26.2.2. */
  readonly read: Readonly<Record<string, string>>;
}

/** By file below `nova/`, and by function. Digests are those of nova-pieces.py. */
export const PIECES: Readonly<Record<string, Piece>> = {
  'virt/libvirt/imagecache.py': {
    purpose: 'the cache manager',
    read: {
      '05d8f83dcef02588': 'same',
    },
  },
  'virt/imagecache.py': {
    purpose: 'its base class',
    read: {
      df6c8f15d9f8dd34: 'same',
    },
  },
  'virt/storage_users.py': {
    purpose: 'the registry of hosts',
    read: {
      '505a5f8368acbadc': 'same',
    },
  },
  'virt/libvirt/imagebackend.py Image.cache': {
    purpose: 'the writer: fetch under the lock',
    read: {
      '00a0b091179d6a4e': 'same',
      ddf9ee9d454e51fc: 'hands `safe` on to `create_image`; same lock, same order',
    },
  },
  'virt/libvirt/imagebackend.py Flat.create_image': {
    purpose: 'the writer of raw disks',
    read: {
      '7e7eed393d712c21': 'same',
      cfde8aea68612808: 'takes `safe`, and does not use it',
    },
  },
  'virt/libvirt/imagebackend.py Qcow2.create_image': {
    purpose: 'the writer of overlays: touch, then create under the lock',
    read: {
      f310ff413af36c96: 'same',
      b7ae1ced3a477730: 'looks at no format of the base file; same lock and touch',
      '5600fa77feb637bc': 'looks at no format of the base file; same lock and touch',
      '2595db44425e9ca6': 'looks at no format of swap and ephemeral files (`safe`); same lock and touch',
      '215f7ac9c9117bd0': "`safe`, and oslo's format inspector; same lock and touch",
    },
  },
  'virt/libvirt/imagebackend.py self.lock_path': {
    purpose: 'the lock directory',
    read: {
      '50d4cab33e1b4a1b': 'same',
    },
  },
  'virt/libvirt/utils.py get_disk_backing_file': {
    purpose: "a disk's backing file",
    read: {
      ff0e9696ae1f6999: 'same',
      '9d5e6a63d531429c': 'type annotations only',
    },
  },
  'virt/images.py qemu_img_info': {
    purpose: '`qemu-img info`',
    read: {
      '32b13a2372077cf3': 'same',
    },
  },
  'privsep/qemu.py unprivileged_qemu_img_info': {
    purpose: '`qemu-img info`, the command',
    read: {
      f421686ae598715c: 'same',
      e017a32f64995a46: 'lists instead of tuples',
    },
  },
  'privsep/fs.py get_file_extension_for_os_type': {
    purpose: 'names of ephemeral files',
    read: {
      '3785784ff8443cc7': 'same',
      '3ac4770171fc72bc': 'without two `global` statements',
    },
  },
  'privsep/path.py utime': {
    purpose: 'the touch',
    read: {
      c586dcde5d0046b7: 'same',
    },
  },
  'utils.py synchronized': {
    purpose: "the locks' prefix",
    read: {
      '60492812cd110896': 'same',
    },
  },
  'compute/manager.py ComputeManager._run_image_cache_manager_pass': {
    purpose: 'the periodic task',
    read: {
      bfa08084a2d3f9ab: 'same',
    },
  },
  'conf/imagecache.py': {
    purpose: "the options' defaults",
    read: {
      d5f19e0ecc74d9dd: 'same',
    },
  },
};

/** Piece → digest of one release. */
export type Digests = Readonly<Record<string, string>>;

/** Releases whose pieces are all among those above, oldest first. */
export const COMPARED_RELEASES: readonly string[] = [
  '25.3.0',
  '26.2.2',
  '26.3.0',
  '27.5.1',
  '28.3.1',
  '29.4.0',
  '30.3.0',
  '31.3.1',
  '32.2.1',
  '33.0.2',
  '34.0.0',
];

/** Releases that the random trees ran with. */
export const RUN_RELEASES: readonly string[] = ['26.2.2', '34.0.0'];

/** What nobody has read yet: the pieces of a release that have a new digest, or that it lacks. */
export function unreadPieces(digests: Digests): string[] {
  return Object.entries(PIECES)
    .filter(([piece, { read }]) => !Object.hasOwn(read, digests[piece] ?? ''))
    .map(([piece, { purpose }]) => `nova/${piece}: ${purpose}`);
}

/** One line for each piece: the same as in 26.2.2, or what differs. */
export function describePieces(digests: Digests): string[] {
  return Object.entries(PIECES).map(([piece, { purpose, read }]) => {
    const difference = read[digests[piece] ?? ''] ?? 'NOT READ YET: compare it with 26.2.2 before you trust it';
    return `${difference === 'same' ? 'same     ' : 'differs  '} nova/${piece} (${purpose})${difference === 'same' ? '' : `: ${difference}`}`;
  });
}
