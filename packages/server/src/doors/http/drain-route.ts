import { readBody } from "./body.ts";
import { jsonResponse, refuse } from "./responses.ts";
import type { RouteRequest } from "./route.ts";

const bodyBytesMax = 1024;
const decoder = new TextDecoder();

/**
 * `POST /v1/drain`: the node ends as after SIGTERM. The body names it: behind a balancer of load
 * another one may have been asked.
 */
export async function serveDrain({ parts, context, facts }: RouteRequest): Promise<Response> {
  const { node, budget, onDrainAsked } = parts;
  if (facts.query !== "") return refuse("bad-request", "the node is named in the body");
  const body = await readBody(context, facts, bodyBytesMax, budget);
  if (body instanceof Response) return body;
  if (!isNamed(body, node.id)) {
    return refuse("bad-request", `this is ${node.id}: to drain it, send {"node":"${node.id}"}`);
  }
  onDrainAsked();
  return jsonResponse({ node: node.id, draining: true }, 202);
}

function isNamed(body: Uint8Array, id: string): boolean {
  try {
    const value: unknown = JSON.parse(decoder.decode(body));
    if (typeof value !== "object" || value === null) return false;
    const { node, ...rest } = value as Readonly<Record<string, unknown>>;
    return node === id && Object.keys(rest).length === 0;
  } catch {
    return false;
  }
}
