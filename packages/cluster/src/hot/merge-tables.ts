import { hex } from "@coterie/core";
import type { HotKey, HotTable } from "./hot-view.ts";

/**
 * What several nodes counted, as one table of at most `limit` keys. What a node counted of a key
 * that it does not tell is at most its floor: so much may be missing of any key, one in the table
 * or one that is in none, and it is added to the floor.
 */
export function mergeTables(tables: readonly HotTable[], limit: number): HotTable {
  const sums = new Map<string, HotKey>();
  let perSecond = 0;
  let floorPerSecond = 0;
  for (const table of tables) {
    perSecond += table.perSecond;
    floorPerSecond += table.floorPerSecond;
    for (const each of table.keys) {
      const name = `${each.bucket}/${hex(each.key)}`;
      const known = sums.get(name);
      sums.set(name, known === undefined ? each : sumOf(known, each));
    }
  }
  const order = [...sums.values()].toSorted((left, right) => right.perSecond - left.perSecond);
  // What is cut off is left out as well, and so much more of it may be missing.
  const cutPerSecond = order[limit]?.perSecond ?? 0;
  return {
    perSecond,
    floorPerSecond: floorPerSecond + cutPerSecond,
    keys: order.slice(0, limit),
  };
}

function sumOf(left: HotKey, right: HotKey): HotKey {
  return {
    bucket: left.bucket,
    key: left.key,
    perSecond: left.perSecond + right.perSecond,
    errorPerSecond: left.errorPerSecond + right.errorPerSecond,
  };
}
