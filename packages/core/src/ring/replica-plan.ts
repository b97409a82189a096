import type { Member } from "./cluster-document.ts";
import type { PartitionId, Token } from "./token.ts";

/** Where one request's key lives, under the ring of one epoch. Immutable. */
export interface ReplicaPlan {
  readonly epoch: number;
  readonly partition: PartitionId;
  readonly token: Token;
  /** The first n owners of the partition. */
  readonly primaries: readonly Member[];
  /** False once the ring has moved on: answers to this plan must then be thought over again. */
  stillAppliesTo(ring: { readonly epoch: number }): boolean;
}
