import type {
  AntiEntropyView,
  PeerExchangeView,
  RepairStarted,
  RepairView,
} from "@coterie/cluster";
import type { ErrorCode } from "@coterie/core";
import { readBody } from "./body.ts";
import { parseRepairBody } from "./repair-body.ts";
import { jsonResponse, refuse } from "./responses.ts";
import type { RouteRequest } from "./route.ts";

/** The numbers of ten thousand partitions. */
const bodyBytesMax = 64 * 1024;

/** `GET /v1/anti-entropy`: how alike this node's copies are to those of the other owners. */
export function serveAntiEntropy({ parts: { node } }: RouteRequest): Response {
  const view = node.antiEntropy();
  if (view === undefined) {
    return refuse("not-ready", `${node.id} waits for: ${node.missing().join("; ")}`);
  }
  const { intervalMs, lagMs, oldest, peers, repair, counts } = view;
  return jsonResponse({
    node: node.id,
    intervalMs,
    lagMs: Math.round(lagMs),
    oldest: oldest ?? null,
    peers: peers.map(peerJson),
    repair: repair === undefined ? null : repairJson(repair),
    counts: countsJson(counts),
  });
}

/** `POST /v1/repair`: begins to compare partitions with all their other owners, now. */
export async function serveRepair({ parts, context, facts }: RouteRequest): Promise<Response> {
  const { node, budget } = parts;
  if (facts.query !== "") return refuse("bad-request", "what to repair is said in the body");
  const body = await readBody(context, facts, bodyBytesMax, budget);
  if (body instanceof Response) return body;
  const partitions = parseRepairBody(body);
  if (partitions instanceof Response) return partitions;
  const started = node.repair(partitions);
  if (!started.ok) return refuse(codeOf(started), started.message);
  const { number, partitions: count, peers } = started;
  return jsonResponse({ node: node.id, number, partitions: count, peers }, 202);
}

function codeOf({ code }: RepairStarted & { readonly ok: false }): ErrorCode {
  if (code === "not-owner") return "bad-request";
  // One at a time: the next one may be asked for when this one is over.
  return code === "busy" ? "overloaded" : code;
}

function peerJson({ completeAgeMs, keysPerSecond, problem, ...rest }: PeerExchangeView): object {
  return {
    ...rest,
    completeAgeMs: rounded(completeAgeMs),
    keysPerSecond: Math.round(keysPerSecond),
    problem: problem ?? null,
  };
}

function repairJson({ elapsedMs, keysPerSecond, etaMs, ...rest }: RepairView): object {
  return {
    ...rest,
    elapsedMs: Math.round(elapsedMs),
    keysPerSecond: Math.round(keysPerSecond),
    etaMs: rounded(etaMs),
  };
}

function countsJson({
  completed,
  failed,
  keysExchanged,
  bytes,
}: AntiEntropyView["counts"]): object {
  return { completed, failed, keysExchanged, bytes };
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms);
}
