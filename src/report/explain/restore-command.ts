import { posix } from 'node:path';

/** The command that puts back the file of this name in the trash, to be typed into a shell. */
export type RestoreCommand = (entry: string) => string;

/** On the machine that has the base directory; `config` is the configuration file that is in use there, if any. */
export function restoreHere(basePath: string, config?: string): RestoreCommand {
  // Only a configuration can give the base directory another name.
  const file = config ?? (posix.basename(basePath) === '_base' ? undefined : 'FILE');
  const where = file === undefined ? `--instances-path ${shellWord(posix.dirname(basePath))}` : `--config ${shellWord(file)}`;
  return (entry) => `basekeeper restore ${shellWord(entry)} ${where}`;
}

/** From anywhere, in the agent's pod as the chart makes it. */
export function restoreInPod({ namespace, name }: { readonly namespace: string; readonly name: string }): RestoreCommand {
  const exec = `kubectl exec --namespace ${namespace} ${name} --container agent -- /nodejs/bin/node /app/basekeeper.mjs`;
  return (entry) => `${exec} restore ${shellWord(entry)} --config /etc/basekeeper/config.yaml`;
}

/** Names are untrusted: a shell must take each for one word, and nothing else. */
function shellWord(text: string): string {
  return /^[\w./][\w./:=@-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
