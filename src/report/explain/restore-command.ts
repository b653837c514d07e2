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
export function restoreInPod(pod: Pod): RestoreCommand {
  return (entry) => `${programInPod(pod)} restore ${shellWord(entry)} --config /etc/basekeeper/config.yaml`;
}

/** The same question to the program in the agent's pod, which looks at the disk itself. */
export function explainInPod(pod: Pod, subject: string): string {
  return `${programInPod(pod)} explain ${shellWord(subject)} --config /etc/basekeeper/config.yaml`;
}

interface Pod {
  readonly namespace: string;
  readonly name: string;
}

function programInPod({ namespace, name }: Pod): string {
  return `kubectl exec --namespace ${namespace} ${name} --container agent -- /nodejs/bin/node /app/basekeeper.mjs`;
}

/** Names are untrusted: a shell must take each for one word, and nothing else. */
function shellWord(text: string): string {
  return /^[\w./][\w./:=@-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
