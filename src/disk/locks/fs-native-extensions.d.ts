/** The part of fs-native-extensions that we use; the package has no types of its own. */
declare module 'fs-native-extensions' {
  interface LockOptions {
    /** A read lock instead of a write lock. Default false. */
    readonly shared?: boolean;
  }
  /** OFD record lock on `length` bytes from `offset` (0: to the end). False when another open file holds it; throws errno errors. */
  export function tryLock(fd: number, offset?: number, length?: number, options?: LockOptions): boolean;
  /** As `tryLock`, but waits on a thread of the pool; the wait cannot be cancelled. */
  export function waitForLock(fd: number, offset?: number, length?: number, options?: LockOptions): Promise<void>;
  export function unlock(fd: number, offset?: number, length?: number): void;
}
