import type { ClusterDocument } from "./cluster-document.ts";

/** Per partition, its owners once nothing moves any more, as indices into the members. */
export function ownersAfterMoves({
  owners,
  moves = [],
}: ClusterDocument): readonly (readonly number[])[] {
  const after = [...owners];
  for (const { partition, to } of moves) after[partition] = to;
  return after;
}

/** How often each stands in the lists; who stands in none is left out. */
export function countsIn<Item>(lists: readonly (readonly Item[])[]): ReadonlyMap<Item, number> {
  const counts = new Map<Item, number>();
  for (const list of lists) for (const item of list) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
