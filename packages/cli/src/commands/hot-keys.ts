import { fetchJson } from "../http/cluster.ts";
import type { HotKeysView, HotTableView } from "../http/hot-keys.ts";
import { keyLabel } from "../http/keys.ts";
import type { NodePool } from "../http/node-pool.ts";
import { table } from "../table.ts";

/** What is counted of keys. */
export type HotOperation = "reads" | "writes";

/** Keys shown, at most: what fits a screen. */
const keysShown = 20;
/** Longer than a node waits for the others. */
const answerMs = 3000;

/** Asks one node for the keys that clients ask all nodes for most. */
export async function hotKeys(pool: NodePool, timeoutMs: number | undefined): Promise<HotKeysView> {
  const path = `/v1/hot?limit=${keysShown}`;
  return (await fetchJson(pool, "top", path, timeoutMs ?? answerMs)) as HotKeysView;
}

/** A table of the keys asked for most, and how sure it is. */
export function hotKeysText(view: HotKeysView, operation: HotOperation): string {
  const { perSecond, floorPerSecond, keys } = view[operation];
  const rows = keys.map(({ bucket, key, ...rates }) => [
    rateText(rates.perSecond),
    `${((100 * rates.perSecond) / perSecond).toFixed(1)} %`,
    rates.errorPerSecond === 0 ? "" : rateText(rates.errorPerSecond),
    bucket,
    keyLabel(Buffer.from(key, "base64url")),
  ]);
  const title = operation === "reads" ? "READ/s" : "WRITE/s";
  const notes = [
    `${rateText(perSecond)} ${operation} per second in all; no other key has more than ` +
      `${rateText(floorPerSecond)}.`,
    ...view.silent.map((id) => `${id} does not answer: what it is asked for is missing.`),
  ];
  return `${table([title, "SHARE", "LESS", "BUCKET", "KEY"], rows)}${notes.join("\n")}\n`;
}

/** The same for programs: of what was asked for. */
export function hotKeysJson(
  { halfLifeMs, answered, silent, ...tables }: HotKeysView,
  operations: readonly HotOperation[],
): object {
  const chosen: Record<string, HotTableView> = {};
  for (const operation of operations) chosen[operation] = tables[operation];
  return { halfLifeMs, answered, silent, ...chosen };
}

function rateText(perSecond: number): string {
  return perSecond < 10 && perSecond > 0 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}
