import type { WriteId } from "@coterie/core";

// The messages of kv.proto as plain values. A context is text, an absent one `undefined`; so is an
// option that is not set. Requests have the shape that a node's own calls take.

export interface KvGet {
  readonly kind: "get";
  readonly bucket: string;
  readonly key: Uint8Array;
  readonly r: number | undefined;
  readonly pr: number | undefined;
  readonly strict: boolean | undefined;
  readonly timeoutMs: number | undefined;
  readonly allSiblings: boolean;
  readonly maxStaleMs: number;
}

export interface KvPut {
  readonly kind: "put";
  readonly bucket: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly context: string | undefined;
  readonly contentType: string;
  readonly w: number | undefined;
  readonly pw: number | undefined;
  readonly strict: boolean | undefined;
  readonly timeoutMs: number | undefined;
  readonly ttlMs: number | undefined;
  readonly expiresAtMs: number | undefined;
  readonly writeId: WriteId | undefined;
  readonly returnBody: boolean;
  readonly ifAbsent: boolean;
}

export interface KvDelete {
  readonly kind: "delete";
  readonly bucket: string;
  readonly key: Uint8Array;
  readonly context: string | undefined;
  readonly w: number | undefined;
  readonly pw: number | undefined;
  readonly strict: boolean | undefined;
  readonly timeoutMs: number | undefined;
  readonly writeId: WriteId | undefined;
}

export interface KvScan {
  readonly kind: "scan";
  readonly bucket: string;
  readonly prefix: Uint8Array;
  readonly cursor: string | undefined;
  /** Keys per page, roughly; 0 leaves it to the server. */
  readonly limit: number;
  readonly tombstones: boolean;
}

/** Nobody waits for the request with this id any more. */
export interface KvCancel {
  readonly kind: "cancel";
}

/** What reads or writes one key. */
export type KvOperation = KvGet | KvPut | KvDelete;

/** What a Pipe carries to a node. */
export type KvRequest = KvOperation | KvScan | KvCancel;

export interface KvSibling {
  readonly value: Uint8Array;
  readonly contentType: string;
  /** The version's name, `actor:counter`. */
  readonly dot: string;
  readonly writtenAtMs: number;
  /** 0: never. */
  readonly expiresAtMs: number;
}

/** Who answered, by kind. */
export interface KvAcks {
  readonly primaries: number;
  readonly fallbacks: number;
  readonly required: number;
}

export interface KvGetReply {
  readonly kind: "get";
  readonly siblings: readonly KvSibling[];
  readonly context: string | undefined;
  readonly acks: KvAcks;
}

export interface KvWriteReply {
  readonly kind: "write";
  readonly context: string | undefined;
  /** How many the key holds after the write. */
  readonly siblings: number;
  readonly acks: KvAcks;
  /** Empty unless it was asked for. */
  readonly body: readonly KvSibling[];
}

export interface KvScanReply {
  readonly kind: "scan";
  readonly items: readonly KvScanItem[];
  /** `undefined`: this page was the last. */
  readonly cursor: string | undefined;
}

export interface KvScanItem {
  readonly key: Uint8Array;
  readonly context: string | undefined;
  readonly siblings: number;
  readonly bytes: number;
}

export interface KvFailure {
  readonly kind: "failure";
  /** An error code; one that the reader does not know stands for `internal`. */
  readonly code: string;
  readonly message: string;
  /** The write may have been carried out. */
  readonly isOutcomeUnknown: boolean;
  readonly acks: KvAcks;
  readonly isRetryable: boolean;
  readonly hint: string;
}

/** What a node says to one operation of a batch. */
export type KvOperationReply = KvGetReply | KvWriteReply | KvFailure;

/** What a Pipe carries back. */
export type KvReply = KvOperationReply | KvScanReply;
