import type { Context } from "./context.ts";
import type { Acks } from "./coterie-error.ts";

/** One value of a key, and what is known of its writing. */
export interface Version<Value> {
  readonly value: Value;
  readonly contentType: string;
  /** Names this version: `actor:counter`. */
  readonly dot: string;
  /** The wall clock of the node that took the write; for people. */
  readonly writtenAt: Date;
  /** From then on no read finds it; `undefined`: it stays. */
  readonly expiresAt: Date | undefined;
}

/** The key holds nothing: it never did, or it was deleted, or has expired. */
export interface Absent {
  readonly kind: "absent";
  /** Of the delete, while it is remembered. */
  readonly context: Context | undefined;
  readonly acks: Acks;
}

/** The key holds one value. */
export interface Single<Value> extends Version<Value> {
  readonly kind: "value";
  readonly context: Context;
  readonly acks: Acks;
}

/** The key holds values that were written concurrently: whoever can should write one for all. */
export interface Siblings<Value> {
  readonly kind: "siblings";
  /** Two or more. */
  readonly siblings: readonly Version<Value>[];
  /** Their values alone. */
  readonly values: readonly Value[];
  /** Of all of them: a write with it replaces them all. */
  readonly context: Context;
  readonly acks: Acks;
}

/** What a read found. */
export type Read<Value> = Absent | Single<Value> | Siblings<Value>;

/** What became of a write that succeeded. */
export interface WriteResult {
  /** For the next write; only if the written value stands alone. With siblings, read first. */
  readonly context: Context | undefined;
  /** Values that the key holds now; 0 after a delete. */
  readonly siblings: number;
  readonly acks: Acks;
}

/** What `update` wrote. */
export interface UpdateResult<Input> {
  /** `undefined`: the key was deleted, or nothing was there and nothing was written. */
  readonly value: Input | undefined;
  /** For the next write. */
  readonly context: Context | undefined;
  /** How often the resolver was asked. */
  readonly rounds: number;
}

/** One key that a scan met. */
export interface ScanEntry {
  readonly key: Uint8Array;
  /** The key as UTF-8; for keys that are not text, use `key`. */
  readonly text: string;
  readonly context: Context | undefined;
  /** Values that it holds; 0 for a deleted key. */
  readonly siblings: number;
  /** Of all its values together. */
  readonly bytes: number;
}

/** Some of the keys that a scan meets. */
export interface ScanPage {
  readonly entries: readonly ScanEntry[];
  /** Where the next page begins; `undefined`: this was the last. */
  readonly cursor: string | undefined;
}

/** What became of one operation of a batch. */
export type BatchResult<Value> =
  | { readonly ok: true; readonly kind: "get"; readonly result: Read<Value> }
  | { readonly ok: true; readonly kind: "put" | "delete"; readonly result: WriteResult }
  | { readonly ok: false; readonly kind: "get" | "put" | "delete"; readonly error: unknown };
