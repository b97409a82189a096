import { type ErrorCode, encodeRecord, decodeContext } from "@coterie/core";
import type { MonotonicMs } from "@coterie/ports";
import type { Change } from "../coordinator/change.ts";
import { coordinate } from "../coordinator/coordinate.ts";
import type { Coordination } from "../coordinator/coordination.ts";
import { contextAfterWrite, shownSiblings } from "../coordinator/presentation.ts";
import { checkPut } from "../coordinator/put.ts";
import {
  type RequestPlan,
  isCurrent,
  isPrimary,
  planRequest,
} from "../coordinator/request-plan.ts";
import type { Written } from "../coordinator/write.ts";
import type {
  ForwardedDelete,
  ForwardedPut,
  PeerRefusal,
  PeerResponse,
  RefusedResponse,
} from "../messages.ts";
import { refusal } from "./replica.ts";

/**
 * Coordinates a write that another node passed on, as a primary of its key. It is never passed on
 * again: with a ring that both agree on there is no need, and without one there would be no end.
 */
export async function coordinateForwarded(
  coordination: Coordination,
  request: ForwardedPut | ForwardedDelete,
  deadline: MonotonicMs,
): Promise<PeerResponse> {
  const { w, pw, mode } = request;
  const planned = planRequest(coordination, request, { w, pw, strict: mode === "strict" });
  if (!planned.ok) return refusal(peerCode(planned.code), planned.message);
  const plan = { ...planned.plan, deadline };
  if (!isPrimary(coordination, plan)) {
    const message = `${coordination.self} does not own partition ${plan.replicas.partition}`;
    return refusal("not-owner", message);
  }
  const change = changeOf(coordination, request);
  if (change.kind === "refused") return change;
  const written = await coordinate(coordination, plan, change);
  return respond(coordination, plan, written, request.kind === "put" && request.returnBody);
}

function changeOf(
  coordination: Coordination,
  request: ForwardedPut | ForwardedDelete,
): Change | RefusedResponse {
  if (request.kind === "delete") {
    const decoded = decodeContext(request.context, request, coordination.contextSeal);
    if (decoded.ok) return { kind: "delete", context: decoded.context };
    return refusal("bad-context", decoded.reason);
  }
  const checked = checkPut(coordination, request, request);
  if (!checked.ok) return refusal(peerCode(checked.code), checked.message);
  const { value, contentType, writeId, ttlMs, expiresAtMs } = request;
  const { context } = checked;
  return { kind: "put", value, contentType, writeId, context, ttlMs, expiresAtMs };
}

function respond(
  coordination: Coordination,
  plan: RequestPlan,
  written: Written,
  returnBody: boolean,
): PeerResponse {
  const { bucket, placed, nowMs } = plan;
  const { primaries, fallbacks } = written.acks;
  if (!written.ok) {
    const { message, outcome } = written;
    // Who passed it on may go by these owners still, and is to try again under those of now.
    const isStale = written.code === "quorum-not-met" && !isCurrent(coordination, plan);
    const code = isStale ? "stale-epoch" : peerCode(written.code);
    return { kind: "refused", code, outcome, message, primaries, fallbacks };
  }
  const { record } = written;
  return {
    kind: "written",
    context: contextAfterWrite(placed, written, coordination.contextSeal),
    siblings: shownSiblings(bucket, record, nowMs).length,
    primaries,
    fallbacks,
    record: returnBody ? encodeRecord(placed, record) : undefined,
  };
}

const peerCodes: Partial<Record<ErrorCode, PeerRefusal>> = {
  "bad-context": "bad-context",
  "bad-request": "malformed",
  "no-such-bucket": "no-such-bucket",
  "too-large": "too-large",
  "too-many-siblings": "too-many-siblings",
  "too-many-actors": "too-many-actors",
  "clock-skew": "clock-skew",
  overloaded: "overloaded",
  "disk-full": "disk-full",
  "quorum-not-met": "quorum-not-met",
  timeout: "timeout",
  "shutting-down": "shutting-down",
  "not-ready": "not-ready",
};

function peerCode(code: ErrorCode): PeerRefusal {
  return peerCodes[code] ?? "internal";
}
