import type { Member, NodeId, PartitionId, Ring } from "@coterie/core";

// What a node is to a partition: an owner, one who will be (both take records), or one who was and
// only hands over what it has. Together they are the holders.

/** True for who takes records of a partition: its owners, and those who will be. */
export function isTaker(ring: Ring, node: NodeId, partition: PartitionId): boolean {
  return ring.isOwner(node, partition) || isNext(ring, node, partition);
}

/** True for who will own a partition and does not yet: it has what it was given so far. */
export function isGaining(ring: Ring, node: NodeId, partition: PartitionId): boolean {
  return isNext(ring, node, partition) && !ring.isOwner(node, partition);
}

/** True if nobody is getting a copy of a partition or has one left over. */
export function isSettled(ring: Ring, partition: PartitionId): boolean {
  return ring.next(partition) === undefined && !hasLeftovers(ring, partition);
}

/** True if a node takes records of buckets with `n` copies. */
export function takesOf(ring: Ring, node: NodeId, partition: PartitionId, n: number): boolean {
  if (!isTaker(ring, node, partition)) return false;
  return ring.holders(partition).some(({ member, place }) => member.id === node && n > place);
}

/** Everybody who has, or gets, a copy of a partition and can be asked for it, but `node`. */
export function otherHolders(ring: Ring, node: NodeId, partition: PartitionId): readonly Member[] {
  return ring
    .holders(partition)
    .map(({ member }) => member)
    .filter(({ id, departure }) => id !== node && departure !== "removed");
}

/** The owners of a partition who can be asked, but `node`. */
export function otherOwners(ring: Ring, node: NodeId, partition: PartitionId): readonly Member[] {
  return ring
    .owners(partition)
    .filter(({ id, departure }) => id !== node && departure !== "removed");
}

function isNext(ring: Ring, node: NodeId, partition: PartitionId): boolean {
  return ring.next(partition)?.some(({ id }) => id === node) === true;
}

function hasLeftovers(ring: Ring, partition: PartitionId): boolean {
  return ring.holders(partition).length > ring.owners(partition).length;
}
