/** What nova.conf says of Nova's own cleaner. */

/** The configuration of nova-compute in the pods of one owner. */
export interface NovaConfig {
  /** `DaemonSet nova-compute`. */
  readonly owner: string;
  readonly namespace: string;
  readonly nodes: readonly string[];
  /** Contents of its configuration files, in the order in which they count. */
  readonly files: readonly string[];
  /** What was not read, each with the reason. */
  readonly unread: readonly string[];
  /** The command that shows the setting. */
  readonly command: string;
}

/** Whether Nova's own cleaner is on; undefined where no configuration was read, or where what was not read may say something else. */
export function novaCleans({ files, unread }: Pick<NovaConfig, 'files' | 'unread'>): boolean | undefined {
  const options = new Map(files.flatMap((text) => [...optionsOf(text)]));
  const either = (section: string, old: string): string | undefined =>
    options.get(`image_cache.${section}`) ?? options.get(`DEFAULT.${old}`);
  const removes = either('remove_unused_base_images', 'remove_unused_base_images');
  const interval = Number(either('manager_interval', 'image_cache_manager_interval') ?? '0');
  if (removes === undefined && (files.length === 0 || unread.length > 0)) return undefined;
  return !FALSE.has((removes ?? 'true').toLowerCase()) && !(interval < 0);
}

/** What oslo.config takes for false. */
const FALSE: ReadonlySet<string> = new Set(['false', '0', 'no', 'off']);

/** `section.option` and its value, in the order of the file. */
function* optionsOf(text: string): Generator<readonly [string, string]> {
  let section = 'DEFAULT';
  for (const line of text.split('\n')) {
    const header = /^\[([^\]]+)\]\s*$/.exec(line)?.[1];
    const [, name, value] = /^([^#;[\s=:][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (header !== undefined) section = header;
    else if (name !== undefined && value !== undefined) yield [`${section}.${name}`, value];
  }
}
