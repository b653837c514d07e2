import { output } from './command.ts';

/** Takes away every mount below a directory, innermost first: what is killed leaves its mounts. */
export async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await output('cat', ['/proc/mounts'])).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(`${directory}/`)).toReversed()) await output('umount', ['--lazy', mount]);
}
