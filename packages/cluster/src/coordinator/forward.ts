import { type ErrorCode, type Member, type WriteId, decodeRecord, hex } from "@coterie/core";
import type { MonotonicMs, Reply } from "@coterie/ports";
import { oneShot } from "../one-shot.ts";
import type {
  ForwardedDelete,
  ForwardedPut,
  PeerRefusal,
  PeerResponse,
  RefusedResponse,
  WrittenResponse,
} from "../messages.ts";
import type { Failure, WriteOutcome } from "../requests.ts";
import type { Coordination } from "./coordination.ts";
import { failure } from "./failure.ts";
import { shownSiblings } from "./presentation.ts";
import type { RequestPlan } from "./request-plan.ts";

/**
 * Refusals after which another primary may well say yes. After `stale-epoch` it may not, as the key
 * has other owners by now: the request is planned anew.
 */
const tryAnother: ReadonlySet<PeerRefusal> = new Set([
  "not-ready",
  "shutting-down",
  "not-owner",
  "overloaded",
  "disk-full",
  "expired",
  // It reached too few others, in the part of the time that its attempt was given: perhaps it is
  // cut off, and another one is on the other side.
  "quorum-not-met",
  "timeout",
]);

/** Codes of peers that clients know under another name. */
const clientCode: Partial<Record<PeerRefusal, ErrorCode>> = {
  "stale-epoch": "quorum-not-met",
  "other-cluster": "internal",
  "not-owner": "quorum-not-met",
  malformed: "internal",
  expired: "timeout",
};

/**
 * Passes a write on to a primary, and on to the next one when that is surely or possibly dead:
 * the write carries an id, so that arriving twice is harmless. A put is forwarded once only; a
 * primary never forwards it further.
 */
export async function forward(
  coordination: Coordination,
  plan: RequestPlan,
  request: ForwardedPut | ForwardedDelete,
): Promise<WriteOutcome> {
  const identified = withWriteId(coordination, request);
  return (await tryPrimaries(coordination, plan, identified, 0)).outcome;
}

export interface TriedPrimaries {
  readonly outcome: WriteOutcome;
  /** Of a failure: somebody else may well carry the write out, or find it carried out. */
  readonly mayTryNext: boolean;
}

/**
 * As {@link forward}, of a write that has its id. Time is left for as many attempts as are to come
 * after all primaries.
 */
export async function tryPrimaries(
  coordination: Coordination,
  plan: RequestPlan,
  identified: ForwardedPut | ForwardedDelete,
  attemptsAfter: number,
): Promise<TriedPrimaries> {
  coordination.counters.forwards += 1;
  const required = Math.max(plan.quorum.w, plan.quorum.pw);
  const { clock, routing, self } = coordination;
  const targets = routing
    .order(plan.replicas.primaries, clock.monotonicMs())
    .filter((member) => member.id !== self);
  let last: Failure = failure(
    coordination,
    "quorum-not-met",
    "refused",
    { primaries: 0, fallbacks: 0, required },
    "no primary of the key is reachable",
  );
  let mayTryNext = true;
  let mayHaveHappened = false;
  for (const [at, member] of targets.entries()) {
    const now = coordination.clock.monotonicMs();
    if (now >= plan.deadline) break;
    // A silent primary must leave time for those after it, however short the deadline is.
    const left = targets.length - at + attemptsAfter;
    const share = Math.min((plan.deadline - now) / left, coordination.tuning.forwardAttemptMs);
    const attempt = left === 1 ? plan.deadline : now + share;
    const reply = await callPrimary(coordination, {
      member,
      request: identified,
      deadline: attempt,
    });
    const outcome = outcomeOf(coordination, plan, reply);
    if (outcome.ok) return { outcome, mayTryNext: false };
    mayHaveHappened ||= outcome.outcome === "unknown";
    last = outcome;
    mayTryNext = !reply.ok || isRetryable(reply.response);
    if (!mayTryNext) break;
  }
  return { outcome: mayHaveHappened ? { ...last, outcome: "unknown" } : last, mayTryNext };
}

/**
 * Passes on a write that this primary refused for want of space: a full disk here need not be a
 * full disk elsewhere, and nothing was sent yet. If nobody else can be reached, the full disk is
 * the reason.
 */
export async function forwardFromFull(
  coordination: Coordination,
  plan: RequestPlan,
  request: ForwardedPut | ForwardedDelete,
  own: Failure,
): Promise<WriteOutcome> {
  const outcome = await forward(coordination, plan, request);
  const isUnreachable =
    !outcome.ok && outcome.code === "quorum-not-met" && outcome.outcome === "refused";
  return isUnreachable ? own : outcome;
}

interface ForwardingAttempt {
  readonly member: Member;
  readonly request: ForwardedPut | ForwardedDelete;
  readonly deadline: MonotonicMs;
}

function callPrimary(
  { network }: Coordination,
  { member, request, deadline }: ForwardingAttempt,
): Promise<Reply<PeerResponse>> {
  const { promise, settle } = oneShot<Reply<PeerResponse>>();
  network.call(member.address, request, deadline, settle);
  return promise;
}

/** The id under which all attempts of one forwarded put are one write. */
export function withWriteId<Request extends ForwardedPut | ForwardedDelete>(
  coordination: Coordination,
  request: Request,
): Request {
  if (request.kind === "delete" || request.writeId !== undefined) return request;
  return { ...request, writeId: newWriteId(coordination) };
}

export function newWriteId({ random }: Coordination): WriteId {
  return hex(random.bytes(16)) as WriteId;
}

function isRetryable(response: PeerResponse): boolean {
  return response.kind === "refused" && tryAnother.has(response.code);
}

function outcomeOf(
  coordination: Coordination,
  plan: RequestPlan,
  reply: Reply<PeerResponse>,
): WriteOutcome {
  const required = Math.max(plan.quorum.w, plan.quorum.pw);
  if (reply.ok && reply.response.kind === "written") return succeeded(plan, reply.response);
  if (reply.ok && reply.response.kind === "refused") {
    return refused(coordination, reply.response, required);
  }
  const acks = { primaries: 0, fallbacks: 0, required };
  if (!reply.ok && reply.reason === "refused") {
    return failure(coordination, "quorum-not-met", "refused", acks, "the primary is unreachable");
  }
  const message = "the primary that coordinates the write did not answer in time";
  return failure(coordination, "timeout", "unknown", acks, message);
}

function succeeded(plan: RequestPlan, response: WrittenResponse): WriteOutcome {
  const decoded = response.record === undefined ? undefined : decodeRecord(response.record);
  return {
    ok: true,
    context: response.context,
    siblings: response.siblings,
    acks: {
      primaries: response.primaries,
      fallbacks: response.fallbacks,
      required: Math.max(plan.quorum.w, plan.quorum.pw),
    },
    body: decoded?.ok === true ? shownSiblings(plan.bucket, decoded.record, plan.nowMs) : undefined,
  };
}

function refused(
  coordination: Coordination,
  { code, message, outcome, primaries, fallbacks }: RefusedResponse,
  required: number,
): Failure {
  const known = clientCode[code] ?? (code as ErrorCode);
  const acks = { primaries, fallbacks, required };
  return failure(coordination, known, outcome, acks, message);
}
