import type { NodeId } from "@coterie/core";
import type { Failure } from "../requests.ts";

/** What an operator looks for among the keys that a node holds. */
export type HeldLike =
  /** At least so many values that have not expired, what an `lww` bucket hides included. */
  | { readonly kind: "siblings"; readonly least: number }
  /** Nothing that a read could show: deleted, or expired to the last value. */
  | { readonly kind: "tombstones" }
  /** The record has more bytes: values, clock and key together. */
  | { readonly kind: "larger"; readonly bytes: number };

export interface HeldQuery {
  readonly like: HeldLike;
  /** One bucket, or all. */
  readonly bucket: string | undefined;
  /** Keys per page, roughly; a page may end before, perhaps without any, when it has taken long. */
  readonly limit: number;
  /** Where the page before this one ended, at whichever node; `undefined` to begin. */
  readonly cursor: string | undefined;
}

/** A key as this node holds it. */
export interface HeldKey {
  readonly bucket: string;
  readonly key: Uint8Array;
  /** 16 hex digits. As a cursor: after this key. */
  readonly token: string;
  readonly partition: number;
  /** Values that have not expired. */
  readonly siblings: number;
  /** Of its record. */
  readonly bytes: number;
}

export type HeldOutcome =
  | {
      readonly ok: true;
      readonly node: NodeId;
      /** In the order of tokens, the same at every node. */
      readonly keys: readonly HeldKey[];
      /** `undefined` when this node has looked at all it holds. */
      readonly cursor: string | undefined;
      /** False while the node lacks what damage took from it: it may have held more. */
      readonly isWhole: boolean;
    }
  | Failure;
