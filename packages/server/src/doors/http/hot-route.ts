import { type HotTable, hotKeysMax } from "@coterie/cluster";
import { base64url } from "@coterie/core";
import { queryOptions } from "./query-options.ts";
import { jsonResponse, refuse } from "./responses.ts";
import type { RouteRequest } from "./route.ts";

const limitDefault = 20;

/** `GET /v1/hot?limit=`: the keys that clients ask all members for most, of reads and of writes. */
export async function serveHot({ parts: { node }, facts }: RouteRequest): Promise<Response> {
  const limit = parseLimit(facts.query);
  if (limit instanceof Response) return limit;
  const view = await node.hotKeys()?.view(limit);
  if (view === undefined) {
    return refuse("not-ready", `${node.id} waits for: ${node.missing().join("; ")}`);
  }
  const { halfLifeMs, answered, silent, reads, writes } = view;
  return jsonResponse({
    node: node.id,
    halfLifeMs,
    answered,
    silent,
    reads: tableJson(reads),
    writes: tableJson(writes),
  });
}

function parseLimit(query: string): number | Response {
  const options = queryOptions(query);
  if (options instanceof Response) return options;
  let limit = limitDefault;
  for (const [name, value] of options) {
    if (name !== "limit") return refuse("bad-request", `hot keys have no option "${name}"`);
    limit = /^\d{1,9}$/u.test(value) ? Number(value) : 0;
    if (limit < 1 || limit > hotKeysMax) {
      return refuse("bad-request", `limit is from 1 to ${hotKeysMax}`);
    }
  }
  return limit;
}

function tableJson({ perSecond, floorPerSecond, keys }: HotTable): object {
  return {
    perSecond: rounded(perSecond),
    floorPerSecond: rounded(floorPerSecond),
    keys: keys.map((each) => ({
      bucket: each.bucket,
      key: base64url(each.key),
      perSecond: rounded(each.perSecond),
      errorPerSecond: rounded(each.errorPerSecond),
    })),
  };
}

function rounded(rate: number): number {
  return Math.round(rate * 100) / 100;
}
