import type { HeldKey } from "@coterie/cluster";
import { base64url } from "@coterie/core";
import { parseFindQuery } from "./find-options.ts";
import { failureResponse } from "./responses.ts";
import type { RouteRequest } from "./route.ts";

/**
 * `GET /v1/find?siblings=|tombstones=|larger_than=&bucket=&limit=&cursor=`: a page of the keys that
 * this node itself holds and that are like this, in hash order. What other replicas hold, they say.
 */
export async function serveFind({ parts, facts }: RouteRequest): Promise<Response> {
  const query = parseFindQuery(facts.query);
  if (query instanceof Response) return query;
  const outcome = await parts.node.findHeld(query);
  if (!outcome.ok) return failureResponse(outcome);
  const { node, keys, cursor, isWhole } = outcome;
  const end = JSON.stringify({ cursor: cursor ?? null, node, isWhole });
  return new Response(`${[...keys.map(lineOf), end].join("\n")}\n`, {
    headers: { "Content-Type": "application/x-ndjson" },
  });
}

function lineOf({ bucket, key, token, partition, siblings, bytes }: HeldKey): string {
  return JSON.stringify({ bucket, key: base64url(key), token, partition, siblings, bytes });
}
