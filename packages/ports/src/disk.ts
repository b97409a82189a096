/** An open file. Opaque; it belongs to the Disk that opened it. */
export interface File {
  readonly name: string;
}

/**
 * Why a disk operation failed. `missing`: no such file. `full`: no space or quota. `locked`:
 * another process holds the directory. `io`: anything else, such as EIO; nothing may be assumed.
 */
export type DiskError = "missing" | "full" | "locked" | "io";

export interface DiskFailure {
  readonly ok: false;
  readonly error: DiskError;
  /** For the log: the system's message, or who holds the lock. */
  readonly message: string;
}

export type DiskOutcome<Value = void> = { readonly ok: true; readonly value: Value } | DiskFailure;

export type Settle<Value = void> = (outcome: DiskOutcome<Value>) => void;

/**
 * A directory of flat files, one per node. Names are `[a-z0-9._-]+`, without folders; `lock`, and
 * whatever begins with `lock.`, is the adapter's own, and never listed. Every
 * operation settles exactly once, never within the call itself; on a crash it never settles.
 * Only what was synced survives a crash: of an unsynced write any part may be kept or lost, and
 * creating, renaming and removing become durable with {@link syncDirectory}.
 */
export interface Disk {
  /**
   * Takes the directory for this process; `locked` names the holder. Released by {@link unlock},
   * and by the end of the process.
   */
  lock(settle: Settle): void;
  /** Does nothing unless this disk holds the lock. */
  unlock(settle: Settle): void;
  /** Names in byte order. */
  list(settle: Settle<readonly string[]>): void;
  /** Opens for reading and writing; `create` makes the file, empty, and fails if it exists. */
  open(name: string, mode: "existing" | "create", settle: Settle<File>): void;
  size(file: File, settle: Settle<number>): void;
  /** Reads up to `length` bytes at `position`; fewer only at the end of the file. */
  read(file: File, position: number, length: number, settle: Settle<Uint8Array>): void;
  /** Writes all of `bytes` at `position`. The caller leaves `bytes` alone until it settles. */
  write(file: File, position: number, bytes: Uint8Array, settle: Settle): void;
  /** Makes the file's content durable (fdatasync). After a failure nothing in it can be trusted. */
  sync(file: File, settle: Settle): void;
  truncate(file: File, size: number, settle: Settle): void;
  close(file: File, settle: Settle): void;
  /** Replaces `to` if it exists, atomically. */
  rename(from: string, to: string, settle: Settle): void;
  remove(name: string, settle: Settle): void;
  syncDirectory(settle: Settle): void;
  /** Bytes free for this process. */
  free(settle: Settle<number>): void;
}
