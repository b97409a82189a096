import type { Context } from "./context.ts";

/** What every operation may be told. */
export interface CallOptions {
  /** Milliseconds for the whole operation, all attempts together: 1 to 60 000. */
  readonly timeoutMs?: number | undefined;
  /** Cancels the operation: it rejects at once with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** `false`: one attempt only. */
  readonly retries?: boolean | undefined;
}

/** Of an operation on one key. */
interface KeyOptions extends CallOptions {
  /**
   * `true`: only primaries count. `false`: fallbacks may stand in for primaries out of reach, and
   * the reply says how many did. The bucket's mode if left out.
   */
  readonly strict?: boolean | undefined;
}

/** Of a `get`. */
export interface GetOptions extends KeyOptions {
  /** Replicas that must answer; the bucket's r if left out. */
  readonly r?: number | undefined;
  /** Of these, how many must be primaries. */
  readonly pr?: number | undefined;
  /** `false`: never also sent to a second node. */
  readonly hedge?: boolean | undefined;
  /**
   * `true`: every sibling also in a bucket that shows the latest value only (policy `lww`), the
   * latest first.
   */
  readonly allSiblings?: boolean | undefined;
  /**
   * Milliseconds, up to a minute: what a read of as many replicas has found that began no longer
   * ago will do. Cheap for keys that are read a lot. Left out or 0: never.
   */
  readonly maxStaleMs?: number | undefined;
}

/** Of a `delete`. */
export interface DeleteOptions extends KeyOptions {
  /** Of the read that this write replaces. */
  readonly context?: Context | undefined;
  /** Replicas that must have stored it; the bucket's w if left out. */
  readonly w?: number | undefined;
  /** Of these, how many must be primaries. */
  readonly pw?: number | undefined;
}

/** How long a value lives; at most one of the two. Without either, the bucket says so. */
interface LifetimeOptions {
  /**
   * Milliseconds, to ten years: then a read no longer finds it. `Infinity`: it stays, also in a
   * bucket that has a time to live.
   */
  readonly ttlMs?: number | undefined;
  /** In place of `ttlMs`. */
  readonly expiresAt?: Date | undefined;
}

/** Of a `put`. */
export interface PutOptions extends DeleteOptions, LifetimeOptions {
  /** The codec's if left out. */
  readonly contentType?: string | undefined;
  /**
   * Refuses with `precondition-failed` if a read at r finds a value. Two that create one key at the
   * same time may both succeed, and become siblings.
   */
  readonly ifAbsent?: boolean | undefined;
}

/** Of an `update`. */
export interface UpdateOptions extends KeyOptions, LifetimeOptions {
  /** How often the resolver is asked at most, before the update fails with `conflict`. */
  readonly roundsMax?: number | undefined;
}

/** Of a `scan`; all but `cursor` are those of each page. */
export interface ScanOptions extends CallOptions {
  /** Only keys that begin with it. */
  readonly prefix?: Uint8Array | string | undefined;
  /** Where an earlier page ended. */
  readonly cursor?: string | undefined;
  /** Keys per page, roughly; 1000 if left out. */
  readonly pageSize?: number | undefined;
  /** Deleted keys too, while they are remembered. */
  readonly tombstones?: boolean | undefined;
}

/** One operation of a batch. */
export type BatchOperation<Input> =
  | ({ readonly kind: "get"; readonly key: Uint8Array | string } & GetOptions)
  | ({
      readonly kind: "put";
      readonly key: Uint8Array | string;
      readonly value: Input;
    } & PutOptions)
  | ({ readonly kind: "delete"; readonly key: Uint8Array | string } & DeleteOptions);
