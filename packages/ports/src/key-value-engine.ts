/**
 * Why an operation of an engine failed. `full`: no space. `corrupt`: what it holds is damaged;
 * another part of it may still be sound. `io`: anything else; nothing may be assumed.
 */
export type EngineError = "full" | "corrupt" | "io";

export interface EngineFailure {
  readonly ok: false;
  readonly error: EngineError;
  /** For the log: the engine's own message. */
  readonly message: string;
}

export type EngineOutcome<Value = void> =
  | { readonly ok: true; readonly value: Value }
  | EngineFailure;

export type EngineSettle<Value = void> = (outcome: EngineOutcome<Value>) => void;

/** A key with its value. */
export interface EngineRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A change of one key: its value from now on; `undefined` removes it. */
export interface EngineChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** Keys from one on and before another. */
export interface EngineRange {
  readonly from: Uint8Array;
  readonly until: Uint8Array;
}

/**
 * An ordered map of bytes to bytes on a disk, larger than memory. Every operation settles exactly
 * once, never within the call itself; on a crash it never settles. Only what {@link flush} came
 * after survives a crash: of later writes each is kept whole or lost whole, and none is kept
 * without all that were before it, if at most one was under way or not flushed.
 */
export interface KeyValueEngine {
  /** How it is called in messages and metrics. */
  readonly name: string;
  /** Opens it, and makes it if there is none. */
  open(settle: EngineSettle): void;
  get(key: Uint8Array, settle: EngineSettle<Uint8Array | undefined>): void;
  /** The values of many keys, in their order. */
  getMany(
    keys: readonly Uint8Array[],
    settle: EngineSettle<readonly (Uint8Array | undefined)[]>,
  ): void;
  /**
   * Up to `limit` rows of a range as it is now, in the order of their keys, byte by byte. It fails
   * if it knows that it had to leave out any of them.
   */
  scan(range: EngineRange, limit: number, settle: EngineSettle<readonly EngineRow[]>): void;
  /** Makes all changes or none; reads see them from when it settles. They are not yet durable. */
  write(changes: Iterable<EngineChange>, settle: EngineSettle): void;
  /** Removes all keys of a range, one by one: a crash may leave some. */
  clear(range: EngineRange, settle: EngineSettle): void;
  /** Makes all that was written durable. */
  flush(settle: EngineSettle): void;
  /** Gives back the space of what was replaced and removed. */
  compact(settle: EngineSettle): void;
  /** Bytes on the disk. */
  size(settle: EngineSettle<number>): void;
  /** Rescues what is sound of a damaged one, while it is closed. What it lost it does not say. */
  repair(settle: EngineSettle): void;
  close(settle: EngineSettle): void;
}
