/** What can be done about anything that is unseen. */
export const IGNORE = 'list it under ignore if it cannot lead to a base file';

/** What a person can do where a chain of images cannot be followed to its end. */
export const ADVICE = {
  unclear: `QEMU may follow it: rebase the image (qemu-img rebase -u) onto the plain path of its backing file, or ${IGNORE}`,
  remote: IGNORE,
  outside: `set hostInstancesPath if headers use another path for the instances directory, bind-mount it below the instances path, or ${IGNORE}`,
  lost: `correct the link, or ${IGNORE}`,
  tooLong: `merge some of its images (qemu-img commit), or ${IGNORE}`,
  circle: `rebase one of its images (qemu-img rebase -u), or ${IGNORE}`,
  irregular: `what lies behind it is unknown: let a regular file be named in its place, or ${IGNORE}`,
  unreadable: `let the agent read that file, or ${IGNORE}`,
  contradiction: `correct the format where the file is named (qemu-img rebase -u -F, or the driver's type in the domain), or ${IGNORE}`,
  format: `convert that file to qcow2 or raw (qemu-img convert), or ${IGNORE}`,
} as const;

const GUEST = 'if the guest wrote these bytes, let';
const REPAIR = `else repair the image, or ${IGNORE}`;
const RAW_BASES = 'if base files are raw here (force_raw_images of Nova, its default), set forceRawImages: true';

/** @param advice of the chain; undefined where the bytes of a header are what is wrong. */
export const settling = {
  disk: (advice: string | undefined): string => both(advice, `${GUEST} disk.info beside it say raw`, REPAIR),
  /** A file that a source opens not as raw alone. */
  namedDisk: (advice: string | undefined): string => both(advice, `${GUEST} every place that names the file say raw`, REPAIR),
  baseFile: (advice: string | undefined): string => both(advice, RAW_BASES, `else replace the file, or ${IGNORE}`),
};

function both(advice: string | undefined, raw: string, otherwise: string): string {
  return advice === undefined ? `${raw}; ${otherwise}` : `${advice}; ${raw}`;
}
