import { output } from './command.ts';

/** Takes away every mount below a directory, innermost first: what is killed leaves its mounts. */
export async function unmountBelow(directory: string): Promise<void> {
  await unmount((path) => path.startsWith(`${directory}/`));
}

/** And those on the directory itself. */
export async function unmountAt(directory: string): Promise<void> {
  await unmount((path) => path === directory || path.startsWith(`${directory}/`));
}

async function unmount(isMeant: (path: string) => boolean): Promise<void> {
  const mounts = (await output('cat', ['/proc/mounts'])).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter(isMeant).toReversed()) await output('umount', ['--lazy', mount]);
}
