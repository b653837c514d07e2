import type { FilesystemUsage } from '../../src/model/filesystem.ts';
import type {
  BaseDirectory,
  BaseDirectoryOpener,
  BaseFileStat,
  DirectoryEntries,
  FileLocker,
  HeldLock,
  LockBatch,
  TrashDirectory,
} from '../../src/model/ports.ts';

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

function checkName(name: string): void {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) throw errno('EINVAL');
}

/** In-memory twin of the file locker. */
export class MemoryLocker implements FileLocker {
  readonly lockFiles = new Set<string>();
  /** File name → errno that taking its lock gives. */
  readonly failures = new Map<string, string>();
  /** What happened, in order: `lock NAME`, `release NAME`, `release and remove NAME`. */
  readonly log: string[] = [];
  /** Called as a lock of a batch is tried. */
  onTry: () => void = () => {};
  /** Called as a lock is had, and as it is released. */
  onHeld: (fileName: string) => void = () => {};
  onReleased: (fileName: string) => void = () => {};
  readonly #held = new Set<string>();
  readonly #waiting = new Set<() => void>();

  async acquire(fileName: string, options: Parameters<FileLocker['acquire']>[1]): Promise<HeldLock | undefined> {
    checkName(fileName);
    const { timeoutSeconds, signal } = options;
    if (signal?.aborted === true) return undefined;
    const failure = this.failures.get(fileName);
    if (failure !== undefined) throw errno(failure);
    if (!(await this.#freed(fileName, timeoutSeconds, signal))) return undefined;
    return this.hold(fileName);
  }

  batch(): LockBatch {
    return {
      tryLock: (fileName) => {
        checkName(fileName);
        this.onTry();
        const failure = this.failures.get(fileName);
        if (failure !== undefined) throw errno(failure);
        return this.#held.has(fileName) ? undefined : this.hold(fileName);
      },
      close: () => {},
    };
  }

  /** What another process does. */
  hold(fileName: string): HeldLock {
    this.#held.add(fileName);
    this.lockFiles.add(fileName);
    this.log.push(`lock ${fileName}`);
    this.onHeld(fileName);
    let released = false;
    return {
      waitedSeconds: 0,
      release: ({ remove }) => {
        if (released) return;
        released = true;
        this.#held.delete(fileName);
        if (remove) this.lockFiles.delete(fileName);
        this.log.push(`release ${remove ? 'and remove ' : ''}${fileName}`);
        this.onReleased(fileName);
        for (const wake of this.#waiting) wake();
      },
    };
  }

  async #freed(fileName: string, timeoutSeconds: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (!this.#held.has(fileName)) return true;
    if (timeoutSeconds === 0) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = () => {
      if (!this.#held.has(fileName)) resolve(true);
    };
    const giveUp = () => resolve(false);
    const timer = setTimeout(giveUp, timeoutSeconds * 1000);
    signal?.addEventListener('abort', giveUp);
    this.#waiting.add(wake);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      this.#waiting.delete(wake);
    }
  }
}

type Operation = 'stat' | 'touch' | 'withImageLock' | 'unlink';

interface Entry {
  inode: number;
  modifiedAtNs: bigint;
  readonly regular: boolean;
}

type Entries = Map<string, Entry>;

function entryOf(entries: Entries, name: string): Entry {
  const entry = entries.get(name);
  if (entry === undefined) throw errno('ENOENT');
  return entry;
}

function statOf({ inode, modifiedAtNs, regular }: Entry, links: number): BaseFileStat {
  const modifiedAtMs = Number(modifiedAtNs) / 1e6;
  return {
    device: '1',
    inode: String(inode),
    modifiedAtNs: String(modifiedAtNs),
    modifiedAtMs,
    sizeBytes: 4096,
    allocatedBytes: 4096,
    regular,
    links,
  };
}

/** In-memory twin of one base directory, its trash and its opener. */
export class MemoryBaseDirectory implements BaseDirectoryOpener {
  readonly path: string;
  /** Names that a QEMU has open, in the trash by their names there. */
  readonly openInQemu = new Set<string>();
  /** `operation name` → errno. `open` for opening the directory itself, `openTrash` for its trash. */
  readonly failures = new Map<`${Operation} ${string}` | 'open' | 'openTrash', string>();
  /** What was done to the directory, in order: `touch NAME`, `unlink NAME`, `take NAME ENTRY`, `give back ENTRY NAME`. */
  readonly log: string[] = [];
  /** Called before each stat, as something else that goes on in the machine. */
  onStat: ((name: string) => void) | undefined;
  /** Called after each file that was removed. */
  onUnlink: ((name: string) => void) | undefined;
  /** Called before each file that goes to the trash. */
  onTake: ((name: string) => void) | undefined;
  opened = 0;
  closed = 0;
  readonly #entries: Entries = new Map();
  #trash: Entries | undefined;
  #inodes = 100;

  filesystem: FilesystemUsage = { sizeBytes: 1000, availableBytes: 500 };

  constructor(path: string) {
    this.path = path;
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Undefined: there is no trash. */
  get trashed(): string[] | undefined {
    return this.#trash === undefined ? undefined : [...this.#trash.keys()];
  }

  /** Creates an entry, or another one in its place. */
  put(name: string, modifiedAtMs: number, regular = true): BaseFileStat {
    const entry = { inode: this.#inodes++, modifiedAtNs: BigInt(modifiedAtMs) * 1_000_000n, regular };
    this.#entries.set(name, entry);
    return statOf(entry, 1);
  }

  putTrashed(entry: string, modifiedAtMs: number): BaseFileStat {
    const created = { inode: this.#inodes++, modifiedAtNs: BigInt(modifiedAtMs) * 1_000_000n, regular: true };
    this.#trash ??= new Map();
    this.#trash.set(entry, created);
    return statOf(created, 1);
  }

  /** Two names of one file, as a crash leaves them. */
  linkFromTrash(entry: string, name: string): void {
    this.#entries.set(name, entryOf(this.#trash ?? new Map<string, Entry>(), entry));
  }

  /** Another name of a base file. */
  link(name: string, as: string): void {
    this.#entries.set(as, entryOf(this.#entries, name));
  }

  setModified(name: string, modifiedAtMs: number): void {
    entryOf(this.#entries, name).modifiedAtNs = BigInt(modifiedAtMs) * 1_000_000n;
  }

  remove(name: string): void {
    this.#entries.delete(name);
  }

  statOf(name: string): BaseFileStat {
    return this.#statOf(entryOf(this.#entries, name));
  }

  open(basePath: string): BaseDirectory {
    const failure = this.failures.get('open');
    if (failure !== undefined) throw errno(failure);
    if (basePath !== this.path) throw errno('ENOENT');
    this.opened++;
    return {
      ...this.#operations(this.#entries),
      openTrash: ({ create }) => this.#openTrash(create),
      usage: () => this.filesystem,
    };
  }

  #statOf(entry: Entry): BaseFileStat {
    const all = [...this.#entries.values(), ...(this.#trash?.values() ?? [])];
    return statOf(entry, all.filter((other) => other === entry).length);
  }

  #openTrash(create: boolean): TrashDirectory | undefined {
    const failure = this.failures.get('openTrash');
    if (failure !== undefined) throw errno(failure);
    if (create) this.#trash ??= new Map();
    const trash = this.#trash;
    if (trash === undefined) return undefined;
    this.opened++;
    return {
      ...this.#operations(trash),
      list: () => [...trash.keys()],
      take: (name, entry) => {
        checkName(name);
        checkName(entry);
        if (trash.has(entry)) throw errno('EEXIST');
        this.onTake?.(name);
        trash.set(entry, entryOf(this.#entries, name));
        this.#entries.delete(name);
        this.log.push(`take ${name} ${entry}`);
      },
      giveBack: (entry, name) => {
        checkName(name);
        const found = entryOf(trash, entry);
        if (this.#entries.has(name)) return 'exists';
        this.#entries.set(name, found);
        this.log.push(`give back ${entry} ${name}`);
        return 'done';
      },
    };
  }

  #operations(entries: Entries): DirectoryEntries {
    let open = true;
    const guard = (operation: Operation, name: string) => {
      if (!open) throw errno('EBADF');
      checkName(name);
      const code = this.failures.get(`${operation} ${name}`);
      if (code !== undefined) throw errno(code);
    };
    return {
      stat: (name) => {
        guard('stat', name);
        this.onStat?.(name);
        const entry = entries.get(name);
        return entry === undefined ? undefined : this.#statOf(entry);
      },
      touch: (name, nowMs) => {
        guard('touch', name);
        entryOf(entries, name).modifiedAtNs = BigInt(nowMs) * 1_000_000n;
        this.log.push(`touch ${name}`);
      },
      withImageLock: (name, identity, whileHeld) => {
        guard('withImageLock', name);
        const entry = entries.get(name);
        if (entry === undefined) return 'gone';
        const now = this.#statOf(entry);
        const same = now.regular && now.device === identity.device && now.inode === identity.inode;
        if (!same || now.modifiedAtNs !== identity.modifiedAtNs) return 'changed';
        if (this.openInQemu.has(name)) return 'busy';
        this.openInQemu.add(name);
        try {
          whileHeld();
        } finally {
          this.openInQemu.delete(name);
        }
        return 'done';
      },
      unlink: (name) => {
        guard('unlink', name);
        entryOf(entries, name);
        entries.delete(name);
        this.log.push(`unlink ${name}`);
        this.onUnlink?.(name);
      },
      close: () => {
        if (open) this.closed++;
        open = false;
      },
    };
  }
}
