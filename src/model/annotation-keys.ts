/** Every key of an annotation or label of ours. All of them begin with this. */
export const KEY_PREFIX = 'basekeeper.io/';

/** Annotations of a Node. Operators write the first four and agents read them; agents write the rest. */
export const NODE_ANNOTATIONS = {
  mode: `${KEY_PREFIX}mode`,
  runNow: `${KEY_PREFIX}run-now`,
  /** Image ids, and globs over file names after `file:`, separated by commas. */
  pin: `${KEY_PREFIX}pin`,
  /** Image ids that should be on the node, separated by commas. */
  wanted: `${KEY_PREFIX}wanted`,
  runNowDone: `${KEY_PREFIX}run-now-done`,
  lastPass: `${KEY_PREFIX}last-pass`,
  result: `${KEY_PREFIX}result`,
  summary: `${KEY_PREFIX}summary`,
  cache: `${KEY_PREFIX}cache`,
  /** Of which images the node has files. */
  images: `${KEY_PREFIX}images`,
  /** How many of the wanted images are there, and which are not. */
  wantedImages: `${KEY_PREFIX}wanted-images`,
  /** The last pass that removed something, whatever came after it. */
  lastRemoval: `${KEY_PREFIX}last-removal`,
} as const;

/** The annotations of a Node that an agent writes: the chart's admission policy lets it change these, and no other. */
export const AGENT_ANNOTATIONS: readonly string[] = [
  NODE_ANNOTATIONS.lastPass,
  NODE_ANNOTATIONS.result,
  NODE_ANNOTATIONS.summary,
  NODE_ANNOTATIONS.cache,
  NODE_ANNOTATIONS.images,
  NODE_ANNOTATIONS.wantedImages,
  NODE_ANNOTATIONS.lastRemoval,
  NODE_ANNOTATIONS.runNowDone,
];

/** Annotations of pods and other objects that are VMs. */
export const WORKLOAD_ANNOTATIONS = {
  imageRef: `${KEY_PREFIX}image-ref`,
  kernelId: `${KEY_PREFIX}kernel-id`,
  ramdiskId: `${KEY_PREFIX}ramdisk-id`,
  instance: `${KEY_PREFIX}instance`,
  swapMb: `${KEY_PREFIX}swap-mb`,
  ephemeral: `${KEY_PREFIX}ephemeral`,
} as const;

/** ConfigMaps with this label, whatever its value, list pins. */
export const PINS_LABEL = `${KEY_PREFIX}pins`;
