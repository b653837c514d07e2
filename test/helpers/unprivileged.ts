const NOBODY = 65_534;

/** Runs `action` without root's power to read everything, so that permission bits count. Not root already: nothing to give up. */
export async function asUnprivileged<T>(action: () => Promise<T>): Promise<T> {
  const { geteuid, seteuid } = process;
  if (geteuid === undefined || seteuid === undefined || geteuid() !== 0) return await action();
  seteuid(NOBODY);
  try {
    return await action();
  } finally {
    seteuid(0);
  }
}
