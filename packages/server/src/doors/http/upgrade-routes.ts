import type { UpgradeView } from "@coterie/cluster";
import { readBody } from "./body.ts";
import { failureResponse, jsonResponse, refuse } from "./responses.ts";
import type { RouteRequest } from "./route.ts";
import { notReady } from "./topology-routes.ts";

/** `GET /v1/upgrade`: which levels the members speak; asks them all. */
export async function serveUpgrade({ parts: { node } }: RouteRequest): Promise<Response> {
  const topology = node.topology();
  if (topology === undefined) return notReady(node);
  return jsonResponse({ node: node.id, ...upgradeJson(await topology.upgrade.view()) });
}

/** `POST /v1/upgrade`: has the cluster go by the newest level that all members speak. */
export async function serveFinalize({ parts, context, facts }: RouteRequest): Promise<Response> {
  const topology = parts.node.topology();
  if (topology === undefined) return notReady(parts.node);
  const body = await readBody(context, facts, 1, parts.budget);
  if (body instanceof Response) return body;
  if (body.length > 0) return refuse("bad-request", "nothing more is to be said of it");
  const outcome = await topology.upgrade.finalize();
  if (!outcome.ok) return failureResponse(outcome);
  const { level, epoch } = outcome;
  return jsonResponse({ level, epoch });
}

function upgradeJson({ level, possible, members }: UpgradeView): object {
  return {
    level,
    possible: possible ?? null,
    members: members.map(({ id, levels }) => {
      return { id, levelMin: levels?.min ?? null, levelMax: levels?.max ?? null };
    }),
  };
}
