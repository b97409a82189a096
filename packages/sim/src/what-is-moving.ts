import type { SimCluster } from "./cluster.ts";
import { latest } from "./operator.ts";

/** Moves and leftovers of the latest version, and who does not go by it; empty when all is done. */
export function whatIsMoving(cluster: SimCluster): readonly string[] {
  const document = latest(cluster);
  if (document === undefined) return ["nobody serves"];
  const { epoch, members, moves = [], leftovers = [] } = document;
  const nameOf = (index: number): string => members[index]?.id ?? "nobody";
  return [
    ...moves.map(({ partition, awaited }) => {
      return `partition ${partition} awaits ${awaited.map(nameOf).join(", ")}`;
    }),
    ...leftovers.map(({ partition, member }) => `${nameOf(member)} has ${partition} left over`),
    ...members.flatMap(({ id, departure }) =>
      departure === undefined ? [] : `${id} is ${departure}`,
    ),
    ...cluster.ids.flatMap((id) => {
      if (!cluster.isUp(id)) return [];
      const known = cluster.node(id)?.document()?.epoch;
      return known === epoch ? [] : `${id} goes by ${known}, not ${epoch}`;
    }),
  ];
}
