import { invariant } from "../invariant.ts";
import { balance } from "./balance.ts";
import { type Link, findChain } from "./chain.ts";
import { type PlacementInput, PlacementTable } from "./placement-table.ts";

/** Per partition, its owners in order, as indices into the members given. */
export type Owners = readonly (readonly number[])[];

/**
 * Places min(nMax, nodes) owners per partition: Dynamo's strategy 3 (section 6.2), with an order
 * of precedence that never gives up the earlier for the later: distinct nodes; distinct hosts and
 * zones where there are enough; balance by weight; least movement from `previous`. Who was an owner
 * and stays one keeps its place, or gets an earlier one where there are fewer copies than before.
 * Pure: the same input gives the same table everywhere.
 */
export function placeOwners(input: PlacementInput): Owners {
  invariant(input.members.length > 0, "owners are placed among one node or more");
  const table = new PlacementTable(input);
  fill(table);
  separate(table);
  balance(table);
  if (input.previous === undefined) balanceFirsts(table);
  else table.restorePlaces();
  return table.owners;
}

/** Gives every partition its number of owners, all first owners before the second ones. */
function fill(table: PlacementTable): void {
  for (let round = 0; round < table.copies; round += 1) {
    for (const partition of table.owners.keys()) {
      if (!table.isVacant(partition, round)) continue;
      table.give(partition, round, table.bestFor(partition));
    }
  }
}

/** Replaces owners that share a host or zone with another where somebody else would not. */
function separate(table: PlacementTable): void {
  for (const [partition, owners] of table.owners.entries()) {
    for (const current of owners.toReversed()) {
      if (!table.mayImprove(partition, current)) continue;
      const clashes = table.clashes(current, owners, current);
      const chosen = table.bestFor(partition, current);
      if (chosen < 0 || table.clashes(chosen, owners, current) >= clashes) continue;
      table.replace(partition, current, chosen);
    }
  }
}

/**
 * Orders the owners of each partition so that first owners are even too: a member with two more
 * than another passes one on along a chain of partitions that have both as owners, the classical
 * optimal semi-matching. No data moves.
 */
function balanceFirsts(table: PlacementTable): void {
  const firsts = Array.from({ length: table.members }, () => new Set<number>());
  const firstsOf = (member: number): Set<number> => firsts[member] as Set<number>;
  for (const [partition, [first]] of table.owners.entries()) {
    if (first !== undefined) firstsOf(first).add(partition);
  }
  const share = (member: number, more = 0): number =>
    table.fullness(member, firstsOf(member).size + more);
  const stuck = new Set<number>();
  for (;;) {
    let giver = -1;
    for (let member = 0; member < table.members; member += 1) {
      if (stuck.has(member)) continue;
      if (giver < 0 || share(member) > share(giver)) giver = member;
    }
    if (giver < 0) return;
    const { links, reached } = findChain(
      giver,
      (member) => share(member, 1) < share(giver),
      (member) => handovers(table, member, firstsOf(member)),
    );
    if (links.length === 0) for (const member of reached) stuck.add(member);
    for (const { from, to, partition } of links) {
      const owners = table.ownersOf(partition);
      owners.splice(owners.indexOf(to), 1);
      owners.unshift(to);
      firstsOf(from).delete(partition);
      firstsOf(to).add(partition);
    }
  }
}

/** To whom `from` could leave the first place of one of its partitions. */
function* handovers(
  table: PlacementTable,
  from: number,
  partitions: ReadonlySet<number>,
): Generator<Link> {
  for (const partition of partitions) {
    for (const to of table.ownersOf(partition)) {
      if (to !== from) yield { from, to, partition };
    }
  }
}
