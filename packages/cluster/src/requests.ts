import type {
  BucketSettings,
  ErrorCode,
  FailureOutcome,
  Lifetime,
  NodeId,
  Sibling,
  WriteId,
} from "@coterie/core";

/** Per-request choices; what is left out comes from the bucket. */
export interface RequestOptions {
  readonly r?: number | undefined;
  readonly w?: number | undefined;
  /** Of the replicas that must answer, how many must be primaries. */
  readonly pr?: number | undefined;
  readonly pw?: number | undefined;
  /** True: only primaries count. False: fallbacks may stand in for primaries out of reach. */
  readonly strict?: boolean | undefined;
  /** Milliseconds until the request is given up. */
  readonly timeoutMs?: number | undefined;
  /**
   * Of a get: in an `lww` bucket too it returns every sibling, the latest first, in place of the
   * latest alone.
   */
  readonly allSiblings?: boolean | undefined;
  /**
   * Of a get: it may be answered with what a read of as many replicas has found that began no
   * longer ago, in milliseconds. 0, or left out: never.
   */
  readonly maxStaleMs?: number | undefined;
  /** Of a get: the caller has no use for a context; making one takes longer than many a lookup. */
  readonly withoutContext?: boolean | undefined;
}

/** With a lifetime, or without one: then the bucket says how long the value lives. */
export interface PutInput extends Lifetime {
  readonly value: Uint8Array;
  readonly contentType: string;
  /** As a read returned it; `undefined` makes the put concurrent with all there is. */
  readonly context: string | undefined;
  readonly writeId: WriteId | undefined;
  /** Asks for the siblings after the write. */
  readonly returnBody: boolean;
  /** The caller has no use for a context. */
  readonly withoutContext?: boolean | undefined;
  /** Refuses with `precondition-failed` if a read at r finds a value. */
  readonly ifAbsent: boolean;
}

/** Who answered, by kind. */
export interface Acks {
  readonly primaries: number;
  readonly fallbacks: number;
  /** How many were required. */
  readonly required: number;
}

export interface Failure {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
  /** For writes: `refused`, surely not done, or `unknown`, may be done. Reads are `refused`. */
  readonly outcome: FailureOutcome;
  readonly acks: Acks;
}

export type GetOutcome =
  | {
      readonly ok: true;
      /** Empty if the key holds nothing; one for a value; more are siblings. */
      readonly siblings: readonly Sibling[];
      /** `undefined` if the key never held anything. */
      readonly context: string | undefined;
      readonly acks: Acks;
    }
  | Failure;

export type WriteOutcome =
  | {
      readonly ok: true;
      /** Given only when the written value stands alone. */
      readonly context: string | undefined;
      /** How many siblings the key holds after the write, as its coordinator sees it. */
      readonly siblings: number;
      readonly acks: Acks;
      /** The siblings after the write, if asked for. */
      readonly body: readonly Sibling[] | undefined;
    }
  | Failure;

/** What one replica answers when asked for its own copy. */
export type ReplicaAnswer =
  | {
      readonly state: "present";
      readonly siblings: readonly Sibling[];
      /** `actor:counter` entries of the record's clock. */
      readonly clock: readonly string[];
      readonly digest: string;
      readonly context: string | undefined;
      readonly bytes: number;
    }
  | { readonly state: "absent" }
  | { readonly state: "unknown" }
  | { readonly state: "unreachable"; readonly reason: string };

export interface Explanation {
  readonly bucket: string;
  readonly partition: number;
  readonly epoch: number;
  /** 16 hex digits. */
  readonly token: string;
  readonly n: number;
  /**
   * The preference list: all primaries; while the partition moves, those who will be primaries and
   * are none yet; then fallbacks up to the n-th that is at hand.
   */
  readonly replicas: readonly ExplainedReplica[];
}

export interface ExplainedReplica {
  readonly node: NodeId;
  readonly role: "primary" | "next" | "fallback";
  /** The primary in whose place this fallback takes sloppy writes of the asked node now. */
  readonly standsInFor?: NodeId;
  /** A primary's own copy; what a fallback holds for others. */
  readonly answer: ReplicaAnswer;
}

export interface ScanOptions {
  /**
   * Items per page, roughly: a page ends with the batch that fills it, or earlier, perhaps without
   * any, when it has taken long, or before a batch that failed and is not its first.
   */
  readonly limit: number;
  /** Where the page before this one ended; `undefined` to begin. */
  readonly cursor: string | undefined;
  readonly prefix: Uint8Array | undefined;
  /** Also returns deleted keys whose tombstones are kept; they have no siblings. */
  readonly tombstones: boolean;
  /** Milliseconds after which a page ends in any case, though never before its first batch. */
  readonly patienceMs?: number | undefined;
}

export interface ScanItem {
  readonly key: Uint8Array;
  readonly context: string | undefined;
  readonly siblings: number;
  /** Of all sibling values together. */
  readonly bytes: number;
  /** One of the siblings has a deadline. */
  readonly expires: boolean;
}

export type ScanOutcome =
  | {
      readonly ok: true;
      readonly items: readonly ScanItem[];
      /** `undefined` when the scan is over. */
      readonly cursor: string | undefined;
    }
  | Failure;

export type BucketOutcome =
  | {
      readonly ok: true;
      readonly result: "created" | "changed" | "unchanged";
      readonly bucket: BucketSettings;
      /** Of the document that has it so. */
      readonly epoch: number;
    }
  | Failure;
