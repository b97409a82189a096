import type { Member } from "./cluster-document.ts";
import type { PartitionId, Token } from "./token.ts";

/** Where one request's key lives, under the ring of one epoch. Immutable. */
export interface ReplicaPlan {
  readonly epoch: number;
  readonly partition: PartitionId;
  readonly token: Token;
  /** The first n owners of the partition. */
  readonly primaries: readonly Member[];
  /**
   * While the partition moves, those who will be the first n owners, if they are others: a strict
   * request needs its quorum among these as well, and what is written is sent to them too.
   */
  readonly next: readonly Member[] | undefined;
  /** False once the ring has moved on: answers to this plan must then be thought over again. */
  stillAppliesTo(ring: { readonly epoch: number }): boolean;
}
